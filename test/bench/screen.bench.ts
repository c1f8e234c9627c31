import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatNumber } from '../../renderer/lib/format.ts';
import { launchBrowser } from '../support/browser.ts';
import { createSampleProject, serveApp } from '../support/servedApp.ts';
import type { Benchmark } from './benchmark.ts';

/** The newest value of `train/loss` that the run has written, and when it was measured. */
function newestLoss(folder: string): { readonly value: number; readonly time: number } | undefined {
  const lines = readFileSync(join(folder, 'metrics/metrics.jsonl'), 'utf8').trimEnd().split('\n');
  for (const line of lines.reverse()) {
    if (!line.includes('"train/loss"')) continue;
    const point = JSON.parse(line) as { value: number; time: number };
    return point;
  }
  return undefined;
}

/** From a step in a worker to its number on the screen of a browser: the whole way, on the real app. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'step-to-screen',
    metric: 'from a logged step to its value in the open chart',
    unit: 'ms',
    rounds: 15,
    warmUps: 2,
    prepare: async () => {
      const project = createSampleProject();
      const app = await serveApp(project);
      const browser = await launchBrowser();
      const { page } = await browser.newPage();
      await page.goto(app.link);
      await page.getByRole('treeitem').first().waitFor();
      for (const override of ['model/backbone=mlp', 'epochs=50', 'trainer.log_every_n_steps=50']) {
        await page.getByLabel('New override').fill(override);
        await page.keyboard.press('Enter');
        await page.getByLabel(`Override ${override}`, { exact: true }).waitFor();
      }
      await page.getByRole('button', { name: 'Launch' }).click();
      await page.getByRole('button', { name: 'Start training' }).click();
      const shown = page.locator('.chart', { hasText: 'train/loss' }).locator('.chart__value');
      await shown.waitFor({ timeout: 60_000 });
      const folder = join(project.folder, 'experiments/mnist');
      return {
        ours: async () => {
          const before = newestLoss(folder);
          let point = before;
          while (!point || point.time === before?.time) {
            await delay(5);
            point = newestLoss(folder);
          }
          const text = formatNumber(point.value);
          while ((await shown.textContent()) !== text) {
            const newer = newestLoss(folder);
            // a value that was overtaken before it was drawn is not late, the newer one counts
            if (newer && newer.time !== point.time && (await shown.textContent()) === formatNumber(newer.value)) break;
          }
          return Date.now() - point.time;
        },
        dispose: async () => {
          await page.getByRole('button', { name: 'Kill' }).click();
          await page.getByRole('button', { name: 'Kill now' }).click();
          await page.locator('header .badge', { hasText: 'killed' }).waitFor();
          await browser.close();
          await app.stop();
          project.remove();
        },
      };
    },
  },
];
