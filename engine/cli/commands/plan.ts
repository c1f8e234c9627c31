import type { FlightPlan, PlanEventKind, PlanEvents } from '../../api/planModel.ts';
import { formatBytes, formatCount } from '../../base/format.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { withEngine } from '../openEngine.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import { areaChart } from '../ui/areaChart.ts';
import { formatMetric, formatTable } from '../ui/format.ts';
import type { Terminal } from '../ui/terminal.ts';
import { launchRequest } from './launchRequest.ts';

const chartHeight = 7;
const widestChart = 72;
/** A curve needs no more points than a terminal has columns, twice for the peaks. */
const chartPoints = 400;

/** `plan`: what a training would do, without training. Warnings do not change the exit code: the plan itself is fine. */
export async function plan(
  terminal: Terminal,
  overrides: readonly string[],
  options: ConfigOptions & LaunchFlags & { readonly json?: boolean },
): Promise<ExitCode> {
  return withEngine(options, async ({ api }) => {
    const project = await api['project.current']({});
    const request = launchRequest(project, overrides, options);
    terminal.status('Building what the config describes…');
    const flight = await api['launch.plan']({
      ...request,
      ...(options.json ? {} : { maxPoints: chartPoints }),
    }).finally(() => terminal.clearStatus());
    if (options.json) {
      terminal.print(asJson(flight));
      return exitCodes.ok;
    }
    print(terminal, flight, request.configName);
    return exitCodes.ok;
  });
}

/** Indented, but lists of numbers in a line: there may be thousands. */
function asJson(flight: FlightPlan): string {
  const text = JSON.stringify(flight, (_key, value) => (value instanceof Float64Array ? [...value] : value), 2);
  return text.replaceAll(
    /\[\n\s+([-+\d.e,\s]+?)\n\s+\]/g,
    (_list, items: string) => `[${items.replaceAll(/\s+/g, ' ')}]`,
  );
}

function print(terminal: Terminal, flight: FlightPlan, configName: string): void {
  const title = (text: string) => terminal.paint('bold', text);
  const on = flight.processes === 1 ? '' : ` on ${flight.processes} processes`;
  terminal.print(`${title(`Flight plan of '${configName}'`)}${on}  ${terminal.paint('dim', flight.trainer)}\n`);
  terminal.print(indented(facts(terminal, flight)));
  for (const curve of flight.rates) {
    const name = flight.rates.length === 1 ? 'Learning rate' : `Learning rate of ${curve.label}`;
    terminal.print(`\n${title(name)} by step`);
    terminal.print(rateText(flight, curve, Math.min(widestChart, terminal.width - 14)));
  }
  terminal.print(`\n${title('Events')}`);
  terminal.print(indented(eventTable(flight)));
  terminal.print(`\n${title('Disk')}`);
  terminal.print(indented(diskText(flight)));
  if (flight.warnings.length > 0) terminal.print('');
  for (const warning of flight.warnings) terminal.print(`${terminal.paint('yellow', 'warning:')} ${warning.text}`);
}

function facts(terminal: Terminal, flight: FlightPlan): string {
  const { epochs, epochLength, totalSteps, accumulation, optimizerSteps, samplesPerUpdate, parameters } = flight;
  const lines: (readonly [string, string])[] = [
    ['training', `${times(epochs, 'epoch')} × ${times(epochLength, 'step')} = ${times(totalSteps, 'step')}`],
    [
      'updates',
      `${times(optimizerSteps, 'optimizer step')}${accumulation > 1 ? `, one after ${accumulation} steps and at the end of the data` : ''}${samplesPerUpdate === undefined ? '' : `, ${formatCount(samplesPerUpdate)} samples each`}`,
    ],
  ];
  if (flight.passLength !== undefined && flight.passLength !== epochLength) {
    lines.push(['data', `a pass over it has ${times(flight.passLength, 'step')}`]);
  }
  if (flight.schedule !== undefined) {
    const { name, steps, interval, followsMetric } = flight.schedule;
    const how = followsMetric ? ', as a metric goes: not known before' : '';
    lines.push(['schedule', `${name}, ${times(steps, 'scheduler step')} by ${interval}${how}`]);
  }
  if (flight.warmup !== undefined) {
    const { steps, schedulerSteps } = flight.warmup;
    lines.push(['warm-up', `to step ${formatCount(steps)}, ${times(schedulerSteps, 'scheduler step')}`]);
  }
  const frozen = parameters.total - parameters.trainable;
  lines.push([
    'model',
    `${times(parameters.total, 'parameter')}${frozen > 0 ? `, ${formatCount(frozen)} frozen` : ''}`,
  ]);
  return lines.map(([name, text]) => `${terminal.paint('dim', name.padEnd(9))} ${text}`).join('\n');
}

function rateText(flight: FlightPlan, { step, rate }: FlightPlan['rates'][number], width: number): string {
  if (rate.length === 0) return '  none: the optimizer never steps';
  const [first, last, top] = [rate[0] ?? 0, rate.at(-1) ?? 0, Math.max(...rate)];
  if (rate.every((value) => value === first)) return `  ${formatMetric(first)} throughout`;
  const chart = areaChart({
    x: [...step, flight.totalSteps],
    y: [...rate, last],
    width: Math.max(20, width),
    height: chartHeight,
    formatX: formatCount,
    formatY: formatMetric,
  });
  const peak = step[rate.indexOf(top)] ?? 0;
  return `${chart}\n  first ${formatMetric(first)}, highest ${formatMetric(top)} at step ${formatCount(peak)}, last ${formatMetric(last)}`;
}

const eventNames: Readonly<Record<PlanEventKind, string>> = {
  'loss-log': 'loss and rate logged',
  'grad-norm-log': 'gradient norm logged',
  validation: 'validation',
  'step-checkpoint': 'checkpoint step_n',
  'epoch-checkpoint': 'checkpoint epoch_n',
  'best-checkpoint': 'checkpoint best, if it is',
  'permanent-checkpoint': 'checkpoint ckpt_step_n',
};

function eventTable(flight: FlightPlan): string {
  if (flight.events.length === 0) return 'none: nothing is logged, validated or saved';
  const right = { align: 'right' } as const;
  return formatTable<PlanEvents>(flight.events, [
    { title: 'WHAT', cell: ({ kind }) => eventNames[kind] },
    { title: 'TIMES', cell: ({ count }) => formatCount(count), ...right },
    { title: 'FIRST', cell: ({ steps }) => formatCount(steps[0] ?? 0), ...right },
    {
      title: 'EVERY',
      cell: ({ every, count }) => (every === undefined ? (count > 1 ? 'varies' : '') : formatCount(every)),
      ...right,
    },
    { title: 'LAST', cell: ({ steps }) => formatCount(steps.at(-1) ?? 0), ...right },
  ]);
}

function diskText({ disk }: FlightPlan): string {
  const free = disk.freeBytes === undefined ? '' : `; ${formatBytes(disk.freeBytes)} are free`;
  return [
    `a checkpoint takes ${formatBytes(disk.checkpointBytes)}: model ${formatBytes(disk.modelBytes)}, optimizer ${formatBytes(disk.optimizerBytes)}${disk.emaBytes > 0 ? `, averages ${formatBytes(disk.emaBytes)}` : ''}`,
    `${times(disk.checkpoints, 'checkpoint')} at the end: ${formatBytes(disk.endBytes)}, at most ${formatBytes(disk.peakBytes)} while saving${free}`,
  ].join('\n');
}

function times(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
