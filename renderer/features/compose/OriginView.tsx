import { useRef } from 'react';
import type { ConfigTreeNode, OriginInfo } from '../../../engine/api/configModel.ts';
import { useCompose } from '../../stores/compose.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { OptionView } from './OptionView.tsx';
import { rowOf } from './ProblemList.tsx';
import { WriteButton } from './WriteButton.tsx';

/** Blame with the losers: where the value comes from, and what it beat. */
export function OriginView({ node }: { readonly node: ConfigTreeNode | undefined }) {
  const schema = useCompose((state) => state.schema.data);
  const view = useRef<HTMLDivElement>(null);
  if (!node)
    return <EmptyState title="No key chosen" text="Choose a row of the tree to see where its value comes from." />;
  return (
    <div className="origin" ref={view} tabIndex={-1}>
      <div className="origin__path mono">{node.path}</div>
      {node.kind === 'scalar' && (
        <dl className="origin__facts">
          <dt>Value</dt>
          <dd className="mono">{node.text === '' ? "''" : node.text}</dd>
          {node.resolved !== undefined && node.resolved !== node.text && (
            <>
              <dt>Resolved</dt>
              <dd className="mono">{node.resolved}</dd>
            </>
          )}
          <dt>Type</dt>
          <dd>{node.type}</dd>
        </dl>
      )}
      {node.resolveError && <p className="origin__error">{node.resolveError}</p>}
      <OptionView
        node={node}
        options={schema?.options ?? []}
        problems={(schema?.problems ?? []).filter((problem) => rowOf(problem) === node.path)}
      />
      <h3 className="origin__title">Set by</h3>
      {node.origin ? <OriginPlace origin={node.origin} /> : <p className="origin__none">Only keys below it are set.</p>}
      {node.beaten.length > 0 && (
        <>
          <h3 className="origin__title">Instead of</h3>
          {node.beaten.map((origin) => (
            <OriginPlace origin={origin} key={JSON.stringify(origin)} beaten />
          ))}
        </>
      )}
      <div className="origin__actions">
        {node.changed && node.before !== undefined && (
          <Button onClick={() => void useCompose.getState().setValue(node.path, node.before)}>
            Back to {node.before}
          </Button>
        )}
        {node.changed && node.origin?.kind === 'override' && (
          // What was written is no longer changed, and its button gone: the focus stays near.
          <WriteButton key={node.path} path={node.path} onWritten={() => view.current?.focus()} />
        )}
        <Button look="danger" onClick={() => void useCompose.getState().setValue(node.path, undefined)}>
          Remove key
        </Button>
      </div>
    </div>
  );
}

function OriginPlace({ origin, beaten }: { readonly origin: OriginInfo; readonly beaten?: boolean }) {
  return (
    <div className="origin__place">
      <code className={beaten ? 'origin__text origin__text--beaten' : 'origin__text'}>{origin.text}</code>
      <span className="origin__source mono">{placeText(origin)}</span>
    </div>
  );
}

function placeText(origin: OriginInfo): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`;
    case 'override':
      return `override ${origin.index + 1}: ${origin.override}`;
    case 'builtin':
      return origin.source;
  }
}

export function findNode(root: ConfigTreeNode, path: string): ConfigTreeNode | undefined {
  if (root.path === path) return root;
  for (const child of root.children ?? []) {
    if (child.path === path) return child;
    if (path.startsWith(child.path)) {
      const found = findNode(child, path);
      if (found) return found;
    }
  }
  return undefined;
}
