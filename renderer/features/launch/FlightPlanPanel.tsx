import { useEffect } from 'react';
import type { FlightPlan, PlanEventKind } from '../../../engine/api/planModel.ts';
import { formatBytes, formatCount } from '../../../engine/base/format.ts';
import { formatNumber } from '../../lib/format.ts';
import { useLaunch } from '../../stores/launch.ts';
import { useProject } from '../../stores/project.ts';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, LoadingState, Notice, Spinner } from '../../ui/states.tsx';
import { RateChart } from './RateChart.tsx';

/** What the training will do, before it is started: rates, events, disk, and what looks wrong. */
export function FlightPlanPanel() {
  const { plan, preview } = useLaunch();
  const isTrusted = useProject((state) => state.project.data?.trusted === true);
  const isReady = isTrusted && preview.data !== undefined && preview.data.problems.length === 0 && !preview.error;
  useEffect(() => {
    // a preview is made anew whenever the composition or the options change: so is the plan
    if (isReady && preview.data) void useLaunch.getState().refreshPlan();
    else useLaunch.getState().dropPlan();
  }, [isReady, preview.data]);
  useEffect(() => () => useLaunch.getState().dropPlan(), []);
  return (
    <Panel title="Flight plan" actions={plan.loading && plan.data && <Spinner label="Planning again" />}>
      {plan.error && <ErrorNotice error={plan.error} onRetry={() => void useLaunch.getState().refreshPlan()} />}
      {plan.data && <PlanView plan={plan.data} />}
      {!plan.data && plan.loading && <LoadingState label="Building what the config describes" />}
      {!plan.data && !plan.loading && !plan.error && <NothingPlanned isTrusted={isTrusted} />}
    </Panel>
  );
}

function NothingPlanned({ isTrusted }: { readonly isTrusted: boolean }) {
  if (!isTrusted) {
    return (
      <EmptyState
        title="Not planned yet"
        text="Planning builds the project's objects, so the project must be trusted."
      />
    );
  }
  return (
    <EmptyState
      title="Not planned yet"
      text="Once the launch has no problems, its steps, rates and events stand here."
    />
  );
}

function PlanView({ plan }: { readonly plan: FlightPlan }) {
  return (
    <div className="plan">
      {plan.warnings.map((warning) => (
        <Notice look="warning" key={warning.text}>
          {warning.text}
        </Notice>
      ))}
      <Facts plan={plan} />
      <div className="plan__columns">
        <div className="plan__rates">
          {plan.rates.map((rate) => (
            <RateChart
              key={rate.label}
              title={plan.rates.length === 1 ? 'Learning rate' : `Learning rate, ${rate.label}`}
              rate={rate}
              totalSteps={plan.totalSteps}
            />
          ))}
        </div>
        <EventTable plan={plan} />
      </div>
    </div>
  );
}

function Facts({ plan }: { readonly plan: FlightPlan }) {
  const { disk, schedule, warmup, parameters } = plan;
  const facts: readonly (readonly [string, string, string])[] = [
    ['Steps', formatCount(plan.totalSteps), `${counted(plan.epochs, 'epoch')} of ${formatCount(plan.epochLength)}`],
    [
      'Optimizer steps',
      formatCount(plan.optimizerSteps),
      plan.samplesPerUpdate === undefined ? '' : `${counted(plan.samplesPerUpdate, 'sample')} each`,
    ],
    [
      'Schedule',
      schedule?.name ?? 'none',
      schedule === undefined
        ? 'the rate stays'
        : schedule.followsMetric
          ? 'follows a metric'
          : `${counted(schedule.steps, 'step')} by ${schedule.interval}`,
    ],
    ['Warm-up', warmup === undefined ? 'none' : `${counted(warmup.steps, 'step')}`, ''],
    [
      'Parameters',
      formatCount(parameters.total),
      parameters.trainable < parameters.total ? `${formatCount(parameters.trainable)} trained` : '',
    ],
    ['Checkpoint', formatBytes(disk.checkpointBytes), `optimizer ${formatBytes(disk.optimizerBytes)}`],
    [
      'Disk',
      formatBytes(disk.peakBytes),
      disk.freeBytes === undefined ? 'at most' : `at most, of ${formatBytes(disk.freeBytes)} free`,
    ],
  ];
  return (
    <dl className="plan__facts">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {note && <dd className="plan__note">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

const eventNames: Readonly<Record<PlanEventKind, string>> = {
  'loss-log': 'Loss and rate logged',
  'grad-norm-log': 'Gradient norm logged',
  validation: 'Validation',
  'step-checkpoint': 'Checkpoint step_n',
  'epoch-checkpoint': 'Checkpoint epoch_n',
  'best-checkpoint': 'Checkpoint best, if it is',
  'permanent-checkpoint': 'Checkpoint ckpt_step_n',
};

function EventTable({ plan }: { readonly plan: FlightPlan }) {
  if (plan.events.length === 0) {
    return <EmptyState title="No events" text="Nothing is logged, validated or saved." />;
  }
  return (
    <table className="table table--stacks plan__events">
      <thead>
        <tr>
          <th>Event</th>
          <th className="numeric">Times</th>
          <th className="numeric">First step</th>
          <th className="numeric">Every</th>
          <th className="numeric">Last step</th>
        </tr>
      </thead>
      <tbody>
        {plan.events.map(({ kind, count, steps, every }) => (
          <tr key={kind}>
            <td>{eventNames[kind]}</td>
            <td className="numeric" data-label="Times">
              {formatCount(count)}
            </td>
            <td className="numeric" data-label="First step">
              {formatCount(steps[0] ?? 0)}
            </td>
            <td className="numeric" data-label="Every">
              {every === undefined ? (count > 1 ? 'varies' : '–') : formatNumber(every, 7)}
            </td>
            <td className="numeric" data-label="Last step">
              {formatCount(steps.at(-1) ?? 0)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}
