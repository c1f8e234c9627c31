import { ChevronRight, Search, TriangleAlert } from 'lucide-react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { ComposedConfig } from '../../../engine/api/configModel.ts';
import { classNames } from '../../lib/classNames.ts';
import { useCompose } from '../../stores/compose.ts';
import { Panel } from '../../ui/Panel.tsx';
import { SearchInput } from '../../ui/SearchInput.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { rowOf } from './ProblemList.tsx';
import { TreeValue } from './TreeValue.tsx';
import { flatten, type TreeRow } from './treeRows.ts';

/** The composed config as a tree: every value editable in place, every change shown beside what it was. */
export function ConfigTree({ config, stale }: { readonly config: ComposedConfig; readonly stale: boolean }) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const [editing, setEditing] = useState<string>();
  const selected = useCompose((state) => state.selectedPath);
  const problems = useCompose((state) => state.schema.data?.problems);
  const flaws = useMemo(
    () => new Map((problems ?? []).map((problem) => [rowOf(problem), problem.message])),
    [problems],
  );
  const list = useRef<HTMLDivElement>(null);
  const rows = useMemo(
    () => flatten(config.tree, { collapsed, filter, onlyChanged }),
    [config.tree, collapsed, filter, onlyChanged],
  );
  const current = rows.some((row) => row.node.path === selected) ? selected : rows[0]?.node.path;

  // Chosen elsewhere, a row is opened up to and brought into view.
  useEffect(() => {
    if (selected === undefined) return;
    setCollapsed((before) => {
      const kept = [...before].filter((path) => !selected.startsWith(`${path}.`) && !selected.startsWith(`${path}[`));
      return kept.length === before.size ? before : new Set(kept);
    });
    list.current?.querySelector(`[data-path="${CSS.escape(selected)}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  const focusRow = (row: TreeRow | undefined) => {
    if (!row) return;
    useCompose.getState().select(row.node.path);
    list.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(row.node.path)}"]`)?.focus();
  };
  const toggle = (path: string) => {
    const next = new Set(collapsed);
    if (!next.delete(path)) next.add(path);
    setCollapsed(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (editing !== undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = rows.findIndex((row) => row.node.path === current);
    const row = rows[index];
    if (!row) return;
    const action: Record<string, () => void> = {
      ArrowDown: () => focusRow(rows[index + 1]),
      ArrowUp: () => focusRow(rows[index - 1]),
      Home: () => focusRow(rows[0]),
      End: () => focusRow(rows.at(-1)),
      ArrowRight: () => (row.branch && !row.open ? toggle(row.node.path) : focusRow(rows[index + 1])),
      ArrowLeft: () =>
        row.branch && row.open
          ? toggle(row.node.path)
          : focusRow(rows.slice(0, index).findLast((other) => other.depth < row.depth)),
      Enter: () => (row.branch ? toggle(row.node.path) : setEditing(row.node.path)),
      Delete: () => void useCompose.getState().setValue(row.node.path, undefined),
    };
    const run = action[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };

  return (
    <Panel
      title="Config"
      flush
      className={classNames('tree-panel', stale && 'tree-panel--stale')}
      actions={
        <>
          <label className="tree__toggle">
            <input type="checkbox" checked={onlyChanged} onChange={(event) => setOnlyChanged(event.target.checked)} />
            Changed only
          </label>
          <div className="tree__search">
            <Search size={14} aria-hidden="true" />
            <SearchInput label="Filter keys and values" placeholder="Filter" value={filter} onChange={setFilter} />
          </div>
        </>
      }
    >
      {rows.length === 0 ? (
        <EmptyState
          title={onlyChanged ? 'Nothing changed yet' : filter ? 'No key or value matches' : 'The config is empty'}
          text={
            onlyChanged
              ? 'Edit a value or choose a group option: what differs from the files shows up here.'
              : undefined
          }
        />
      ) : (
        <div className="tree" role="tree" aria-label="Composed config" ref={list}>
          {rows.map((row) => (
            <div
              key={row.node.path}
              role="treeitem"
              data-path={row.node.path}
              className={classNames(
                'tree__row',
                row.node.path === selected && 'tree__row--selected',
                row.node.changed && 'tree__row--changed',
                flaws.has(row.node.path) && 'tree__row--flawed',
              )}
              aria-level={row.depth + 1}
              aria-expanded={row.branch ? row.open : undefined}
              aria-selected={row.node.path === selected}
              tabIndex={row.node.path === current ? 0 : -1}
              style={{ paddingLeft: 8 + row.depth * 16 }}
              onKeyDown={onKeyDown}
              onClick={() => useCompose.getState().select(row.node.path)}
              onDoubleClick={() => (row.branch ? toggle(row.node.path) : setEditing(row.node.path))}
            >
              {row.branch ? (
                <button
                  type="button"
                  className={classNames('tree__chevron', row.open && 'tree__chevron--open')}
                  tabIndex={-1}
                  aria-label={row.open ? 'Collapse' : 'Expand'}
                  onClick={(event) => {
                    event.stopPropagation();
                    toggle(row.node.path);
                  }}
                >
                  <ChevronRight size={14} />
                </button>
              ) : (
                <span className="tree__chevron" />
              )}
              <span className="tree__key">{row.node.key}</span>
              {flaws.has(row.node.path) && (
                <span
                  className="tree__flaw"
                  role="img"
                  aria-label={flaws.get(row.node.path)}
                  title={flaws.get(row.node.path)}
                >
                  <TriangleAlert size={13} aria-hidden="true" />
                </span>
              )}
              <TreeValue
                node={row.node}
                open={row.open}
                editing={editing === row.node.path}
                onEdit={() => setEditing(row.node.path)}
                onDone={() => {
                  setEditing(undefined);
                  focusRow(row);
                }}
              />
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
