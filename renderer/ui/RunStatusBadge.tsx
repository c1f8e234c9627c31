import type { RunStatus } from '../../engine/api/runModel.ts';
import { Badge, type Tone } from './Badge.tsx';

const LOOK: Readonly<Record<RunStatus, { readonly tone: Tone; readonly live?: boolean; readonly title: string }>> = {
  starting: { tone: 'blue', live: true, title: 'Worker processes are starting' },
  running: { tone: 'blue', live: true, title: 'Training' },
  stopping: { tone: 'amber', live: true, title: 'Saving a checkpoint, then ending' },
  completed: { tone: 'green', title: 'Ran to its end' },
  stopped: { tone: 'neutral', title: 'Stopped by a person; saved before ending' },
  failed: { tone: 'red', title: 'Ended with an error' },
  killed: { tone: 'red', title: 'Ended at once, without saving' },
  lost: { tone: 'red', title: 'Its launcher is gone without a word: a crash, a reboot or a kill' },
};

export function RunStatusBadge({ status }: { readonly status: RunStatus }) {
  const look = LOOK[status];
  return (
    <Badge tone={look.tone} dot={look.live ? 'live' : 'still'} title={look.title}>
      {status}
    </Badge>
  );
}
