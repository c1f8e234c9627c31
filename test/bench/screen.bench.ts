import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatNumber } from '../../renderer/lib/format.ts';
import { launchBrowser } from '../support/browser.ts';
import { createSampleProject, serveApp } from '../support/servedApp.ts';
import type { Benchmark } from './benchmark.ts';

interface Point {
  readonly key: string;
  readonly value: number;
  readonly time: number;
}

interface Mark {
  readonly text: string;
  readonly time: number;
}

const PATIENCE_MS = 20_000;

/** When the value that stands on the screen was measured; undefined while its line is still on the way to the file. */
function measuredAt(folder: string, text: string): number | undefined {
  const lines = readFileSync(join(folder, 'metrics/metrics.jsonl'), 'utf8').trimEnd().split('\n');
  const points = lines.filter((line) => line.includes('"train/loss"')).map((line) => JSON.parse(line) as Point);
  return points.findLast((point) => formatNumber(point.value) === text)?.time;
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
      const marks: Mark[] = [];
      await page.exposeFunction('mark', (text: string, time: number) => void marks.push({ text, time }));
      // the page itself notes when the number changes: asking it again and again would slow what is measured
      await shown.evaluate((element) => {
        const report = (window as Window & { mark?: (text: string, time: number) => void }).mark;
        const observer = new MutationObserver(() => report?.(element.textContent ?? '', Date.now()));
        observer.observe(element, { characterData: true, childList: true, subtree: true });
      });
      return {
        ours: async () => {
          marks.length = 0;
          for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
            await delay(20);
            for (const mark of marks) {
              const measured = measuredAt(folder, mark.text);
              if (measured !== undefined) return mark.time - measured;
            }
          }
          throw new Error('No value of train/loss reached the screen.');
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
