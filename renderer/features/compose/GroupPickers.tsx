import { Fragment } from 'react';
import type { GroupChoice } from '../../../engine/api/configModel.ts';
import { useCompose } from '../../stores/compose.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState } from '../../ui/states.tsx';

const NONE = '';

/** One select a config group: what is chosen, what else could be, and groups that may be added. */
export function GroupPickers({ groups }: { readonly groups: readonly GroupChoice[] }) {
  const chosen = groups.filter((group) => group.choice !== undefined);
  const others = groups.filter((group) => group.choice === undefined);
  return (
    <Panel title="Groups">
      {groups.length === 0 ? (
        <EmptyState title="No config groups" text="Sub-folders of the config folder show up here as choices." />
      ) : (
        <div className="groups">
          {chosen.map((group) => (
            <GroupPicker group={group} key={group.key} />
          ))}
          {others.length > 0 && (
            <>
              <div className="groups__divider">Not in the defaults list</div>
              {others.map((group) => (
                <GroupPicker group={group} key={group.key} />
              ))}
            </>
          )}
        </div>
      )}
    </Panel>
  );
}

/** A long key may break after a slash, a dot or before an @, never inside a word. */
function BreakableKey({ text }: { readonly text: string }) {
  return (
    <span title={text}>
      {text.split(/(?<=[/.])|(?=@)/).map((part, index) => (
        <Fragment key={`${index}:${part}`}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}

function GroupPicker({ group }: { readonly group: GroupChoice }) {
  const changed = group.choice !== undefined && String(group.choice) !== String(group.before);
  const id = `group-${group.key}`;
  const depth = group.group.split('/').length - 1;
  // a list of options is written in YAML; here it is shown, and edited as an override
  const several = Array.isArray(group.choice);
  return (
    <div className="groups__row" style={{ paddingLeft: depth * 12 }}>
      <label className="groups__name" htmlFor={id}>
        <BreakableKey text={group.key} />
        {changed && <Badge tone="accent">changed</Badge>}
      </label>
      {several ? (
        <div className="groups__several mono">[{String(group.choice)}]</div>
      ) : (
        <select
          id={id}
          className="select"
          value={typeof group.choice === 'string' ? group.choice : NONE}
          onChange={(event) =>
            useCompose.getState().choose(group, event.target.value === NONE ? null : event.target.value)
          }
        >
          <option value={NONE}>{group.before === undefined ? 'Add…' : '(none)'}</option>
          {group.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </div>
  );
}
