import { useState } from 'react';
import type { ConfigProblem } from '../../../engine/api/configModel.ts';
import { useCompose } from '../../stores/compose.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/states.tsx';

const SHOWN = 3;

/** What would fail when the objects are built, before anything is launched. Choosing one goes to its row. */
export function ProblemList({ problems }: { readonly problems: readonly ConfigProblem[] }) {
  const [all, setAll] = useState(false);
  if (problems.length === 0) return null;
  const shown = all ? problems : problems.slice(0, SHOWN);
  return (
    <Notice
      look="warning"
      action={
        problems.length > SHOWN && (
          <Button look="quiet" onClick={() => setAll(!all)}>
            {all ? 'Fewer' : `All ${problems.length}`}
          </Button>
        )
      }
    >
      <ul className="problems" aria-label="Problems of the config">
        {shown.map((problem) => (
          <li key={`${problem.kind}:${problem.path}`}>
            <button
              type="button"
              className="problems__go"
              onClick={() => useCompose.getState().select(rowOf(problem))}
              title="Show it in the tree"
            >
              {problem.message}
            </button>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** The row that shows a problem: a missing argument has none of its own, its section has. */
export function rowOf({ kind, path }: ConfigProblem): string {
  return kind === 'missing-argument' ? path.slice(0, Math.max(path.lastIndexOf('.'), 0)) : path;
}
