import { useEffect, useRef, useState } from 'react';
import type { ConfigTreeNode } from '../../../engine/api/configModel.ts';
import { classNames } from '../../lib/classNames.ts';
import { useCompose } from '../../stores/compose.ts';

export interface TreeValueProps {
  readonly node: ConfigTreeNode;
  readonly open: boolean;
  readonly editing: boolean;
  readonly onEdit: () => void;
  readonly onDone: () => void;
}

export function TreeValue({ node, open, editing, onEdit, onDone }: TreeValueProps) {
  if (node.kind !== 'scalar') {
    const count = node.children?.length ?? 0;
    const brackets = node.kind === 'list' ? ['[', ']'] : ['{', '}'];
    if (open) return null;
    return (
      <span className="tree__summary">
        {count === 0
          ? brackets.join('')
          : `${brackets[0]} ${count} ${count === 1 ? 'entry' : 'entries'} ${brackets[1]}`}
      </span>
    );
  }
  if (editing) return <ValueEditor node={node} onDone={onDone} />;
  return (
    <>
      {node.type === 'bool' ? (
        <input
          type="checkbox"
          className="tree__check"
          tabIndex={-1}
          aria-label={`${node.path} is ${node.text}`}
          checked={node.text === 'true'}
          onChange={(event) => void useCompose.getState().setValue(node.path, String(event.target.checked))}
        />
      ) : null}
      <button
        type="button"
        className={classNames('tree__value', `tree__value--${node.type}`)}
        tabIndex={-1}
        onClick={onEdit}
      >
        {node.text === '' ? "''" : node.text}
      </button>
      {node.resolved !== undefined && node.resolved !== node.text && (
        <span className="tree__resolved" title="After interpolation">
          → {node.resolved}
        </span>
      )}
      {node.resolveError !== undefined && (
        <span className="tree__error" title={node.resolveError}>
          cannot be resolved
        </span>
      )}
      {node.changed && node.before !== undefined && <del className="tree__before">{node.before}</del>}
      {node.changed && node.before === undefined && <span className="tree__new">new</span>}
    </>
  );
}

function ValueEditor({ node, onDone }: { readonly node: ConfigTreeNode; readonly onDone: () => void }) {
  const [draft, setDraft] = useState(node.type === 'missing' ? '' : (node.text ?? ''));
  const input = useRef<HTMLInputElement>(null);
  const finished = useRef(false);
  useEffect(() => input.current?.select(), []);
  const finish = (save: boolean) => {
    if (finished.current) return; // Enter closes the field, whose blur would save a second time
    finished.current = true;
    if (save && draft !== node.text) void useCompose.getState().setValue(node.path, draft);
    onDone();
  };
  return (
    <input
      ref={input}
      className="input input--mono tree__input"
      aria-label={`New value of ${node.path}`}
      value={draft}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onClick={(event) => event.stopPropagation()}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') finish(true);
        if (event.key === 'Escape') finish(false);
      }}
    />
  );
}
