import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FlightPlan } from '../../engine/api/planModel.ts';
import { runNode } from '../support/runNode.ts';

// The real thing: command, host, planning process, project code.

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
let folder: string;
let project: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-plan-')));
  project = join(folder, 'line');
  cpSync(fileURLToPath(new URL('../fixtures/cli/project', import.meta.url)), project, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plan(...commandArguments: string[]) {
  const environment = { XDG_CONFIG_HOME: join(folder, 'settings'), NO_COLOR: '1', FORCE_COLOR: undefined };
  return runNode([main, 'plan', ...commandArguments], { cwd: project, environment });
}

test('plan prints steps, rates, events, disk and warnings, and trains nothing', async () => {
  const { code, stdout } = await plan(
    '--num_processes',
    '2',
    'epochs=12',
    'lr_scheduler.name=linear',
    '+warmup_params.warmup_epochs=2',
    '+trainer.save_every_n_steps=500',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}training {2}12 epochs × 4 steps = 48 steps$/m);
  expect(stdout).toMatch(/^ {2}updates {3}48 optimizer steps, 16 samples each$/m);
  expect(stdout).toMatch(/^ {2}schedule {2}get_scheduler linear, 96 scheduler steps by step$/m);
  expect(stdout).toMatch(/^ {2}warm-up {3}to step 8, 16 scheduler steps$/m);
  expect(stdout).toMatch(/^0\.1000 ┤ +.*█/m);
  expect(stdout).toMatch(/^ {2}validation +12 +4 +4 +48$/m);
  expect(stdout).toMatch(/^warning: save_every_n_steps is 500, but the whole training has 48 steps/m);
  expect(existsSync(join(project, 'experiments'))).toBe(false);
});

test('--json gives every rate to programs', async () => {
  const { code, stdout } = await plan('--json', 'lr_scheduler.name=linear', '+lr_scheduler.num_warmup_steps=4');
  expect(code).toBe(0);
  const answer = JSON.parse(stdout) as { rates: { step: number[]; rate: number[] }[] };
  const rates = answer.rates.map(({ step, rate, ...rest }) => ({
    ...rest,
    step: Float64Array.from(step),
    rate: Float64Array.from(rate),
  }));
  const parsed = FlightPlan.parse({ ...answer, rates });
  // up in 4 steps, which the schedule's own option says, and down in the other 12
  const expected = Array.from({ length: 16 }, (_, step) => 0.1 * (step < 4 ? step / 4 : (16 - step) / 12));
  expect(parsed.warmup).toEqual({ steps: 4, schedulerSteps: 4 });
  expect([...(parsed.rates[0]?.step ?? [])]).toEqual(expected.map((_, step) => step));
  for (const [step, rate] of expected.entries()) expect(parsed.rates[0]?.rate[step]).toBeCloseTo(rate, 12);
});

test('an object that cannot be built is told with its place', async () => {
  const { code, stderr } = await plan('optimizer._target_=torch.optim.Lion');
  expect(code).toBe(2);
  expect(stderr).toContain("Error locating target 'torch.optim.Lion'");
  expect(stderr).toContain('override 1');
});
