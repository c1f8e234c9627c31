import { Plus, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useCompose } from '../../stores/compose.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';

/** The overrides as the command line would take them: each can be edited in place, removed, or a new one typed. */
export function OverrideList({ errorIndex }: { readonly errorIndex: number | undefined }) {
  const overrides = useCompose((state) => state.overrides);
  const shortened = useCompose((state) => state.shortened);
  const [draft, setDraft] = useState('');
  const { setOverrides } = useCompose.getState();
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim() === '') return;
    setOverrides([...overrides, draft.trim()]);
    setDraft('');
  };
  return (
    <Panel
      title={`Overrides${overrides.length > 0 ? ` (${overrides.length})` : ''}`}
      label="Overrides"
      actions={
        overrides.length > 0 && (
          <>
            <ShortestButton />
            <Button look="quiet" onClick={() => setOverrides([])}>
              Clear
            </Button>
          </>
        )
      }
    >
      <div className="overrides">
        {overrides.map((text, index) => (
          <OverrideRow
            key={`${index}:${text}`}
            text={text}
            invalid={index === errorIndex}
            onChange={(next) =>
              setOverrides(next.trim() === '' ? without(overrides, index) : overrides.with(index, next.trim()))
            }
            onRemove={() => setOverrides(without(overrides, index))}
          />
        ))}
        <form className="overrides__row" onSubmit={add}>
          <input
            className="input input--mono"
            aria-label="New override"
            placeholder="optimizer.lr=3e-4, +key=value, ~key, group=option"
            value={draft}
            spellCheck={false}
            autoCapitalize="off"
            onChange={(event) => setDraft(event.target.value)}
          />
          <Button icon look="quiet" type="submit" aria-label="Add the override" disabled={draft.trim() === ''}>
            <Plus size={16} />
          </Button>
        </form>
        {shortened && (
          <p className="overrides__note" role="status">
            {shortenedText(shortened)}
          </p>
        )}
      </div>
    </Panel>
  );
}

/** The inverse of composing: options before values, nothing that the config is the same without. */
function ShortestButton() {
  const [busy, setBusy] = useState(false);
  const shorten = async () => {
    setBusy(true);
    await useCompose.getState().shorten();
    setBusy(false);
  };
  return (
    <Button
      look="quiet"
      busy={busy}
      title="Find the shortest overrides that give the same config"
      onClick={() => void shorten()}
    >
      Shortest
    </Button>
  );
}

interface Shortened {
  readonly before: number;
  readonly after: number;
  readonly exhaustive: boolean;
}

function shortenedText({ before, after, exhaustive }: Shortened): string {
  const end = exhaustive ? '' : ' The search was not ended: there may be a shorter list.';
  if (after === before) return `No shorter list gives this config.${end}`;
  return `${before} became ${after}, for the same config.${end}`;
}

interface OverrideRowProps {
  readonly text: string;
  readonly invalid: boolean;
  readonly onChange: (text: string) => void;
  readonly onRemove: () => void;
}

function OverrideRow({ text, invalid, onChange, onRemove }: OverrideRowProps) {
  const [draft, setDraft] = useState(text);
  const commit = () => draft !== text && onChange(draft);
  return (
    <div className="overrides__row">
      <input
        className={`input input--mono${invalid ? ' input--invalid' : ''}`}
        aria-label={`Override ${text}`}
        aria-invalid={invalid}
        value={draft}
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
          if (event.key === 'Escape') setDraft(text);
        }}
      />
      <Button icon look="quiet" aria-label={`Remove override ${text}`} onClick={onRemove}>
        <X size={15} />
      </Button>
    </div>
  );
}

function without(list: readonly string[], index: number): string[] {
  return list.filter((_, other) => other !== index);
}
