import { GitBranch } from 'lucide-react';
import type { RunDetail } from '../../../engine/api/runModel.ts';
import { formatCount } from '../../../engine/base/format.ts';
import { formatRoute } from '../../stores/router.ts';

/** Where the run branched off, and what branched off it. */
export function Lineage({ run }: { readonly run: RunDetail }) {
  const { parent, branches } = run;
  return (
    <p className="lineage">
      <GitBranch size={14} aria-hidden="true" />
      {parent && (
        <span>
          branched from <RunLink runId={parent.runId} name={parent.name} /> at step {formatCount(parent.step)}
        </span>
      )}
      {branches.length > 0 && (
        <span>
          {branches.length === 1 ? 'branch: ' : 'branches: '}
          {branches.map(({ runId, name, step }, index) => (
            <span key={runId}>
              {index > 0 && ', '}
              <RunLink runId={runId} name={name} /> at step {formatCount(step)}
            </span>
          ))}
        </span>
      )}
    </p>
  );
}

function RunLink({ runId, name }: { readonly runId: string; readonly name: string }) {
  return (
    <a href={formatRoute({ page: 'run', runId, tab: 'charts' })} title={runId}>
      {name}
    </a>
  );
}
