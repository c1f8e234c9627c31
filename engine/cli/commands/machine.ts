import type { DeviceInfo, DoctorCheck } from '../../api/machine.ts';
import { formatBytes } from '../../base/format.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { formatTable } from '../ui/format.ts';
import type { Terminal } from '../ui/terminal.ts';

interface Options {
  readonly json?: boolean;
}

/** `devices`: what training can run on. */
export async function devices(terminal: Terminal, options: Options): Promise<ExitCode> {
  const { listDevices } = await import('../../service/machine.ts');
  const found = await listDevices();
  terminal.print(options.json ? JSON.stringify(found, null, 2) : deviceTable(found));
  return exitCodes.ok;
}

/** `doctor`: what was found, what is used and why, and how to get better. Needs no project. */
export async function doctor(terminal: Terminal, options: Options): Promise<ExitCode> {
  const { inspectMachine } = await import('../../service/machine.ts');
  const report = await inspectMachine();
  if (options.json) {
    terminal.print(JSON.stringify(report, null, 2));
    return exitCodes.ok;
  }
  const { backend } = report;
  terminal.print(`${terminal.paint('bold', 'Machine')}  ${report.platform}`);
  terminal.print(
    `${terminal.paint('bold', 'Backend')}  ${backend.name}: ${backend.description}${backend.gpu ? ' (GPU)' : ''}`,
  );
  terminal.print();
  for (const check of report.checks) terminal.print(describeCheck(terminal, check));
  terminal.print();
  terminal.print(deviceTable(report.devices));
  return exitCodes.ok;
}

const marks = {
  ok: ['green', 'ok'],
  warning: ['yellow', 'warning'],
  missing: ['dim', 'missing'],
  error: ['red', 'error'],
} as const;

function describeCheck(terminal: Terminal, check: DoctorCheck): string {
  const [style, word] = marks[check.status];
  const indent = ' '.repeat(24);
  return [
    `${terminal.paint(style, word.padEnd(8))} ${check.name.padEnd(14)} ${check.found}`,
    ...(check.reason ? [`${indent}${check.reason}`] : []),
    ...(check.advice ? [`${indent}${terminal.paint('cyan', `→ ${check.advice}`)}`] : []),
  ].join('\n');
}

function deviceTable(list: readonly DeviceInfo[]): string {
  const memory = ({ memoryTotal, memoryUsed }: DeviceInfo) => {
    if (memoryTotal === undefined) return '';
    return memoryUsed === undefined
      ? formatBytes(memoryTotal)
      : `${formatBytes(memoryUsed)} of ${formatBytes(memoryTotal)}`;
  };
  return formatTable(list, [
    { title: 'DEVICE', cell: (device) => device.id },
    { title: 'NAME', cell: (device) => device.name },
    { title: 'MEMORY', cell: memory, align: 'right' },
    { title: 'CORES', cell: (device) => device.cores?.toString() ?? '', align: 'right' },
    {
      title: 'LOAD',
      cell: (device) => (device.utilization === undefined ? '' : `${device.utilization} %`),
      align: 'right',
    },
    { title: 'DRIVER', cell: (device) => device.driver ?? '' },
  ]);
}
