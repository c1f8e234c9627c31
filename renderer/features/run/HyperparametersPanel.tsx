import { useState } from 'react';
import { formatSetting } from '../../lib/format.ts';
import { Panel } from '../../ui/Panel.tsx';
import { SearchInput } from '../../ui/SearchInput.tsx';

/** The resolved config as it was recorded at the start, one value a line. */
export function HyperparametersPanel({ values }: { readonly values: Readonly<Record<string, unknown>> }) {
  const [filter, setFilter] = useState('');
  const all = Object.entries(values);
  const wanted = filter.trim().toLowerCase();
  const shown = all.filter(([key]) => key.toLowerCase().includes(wanted));
  return (
    <Panel
      title="Hyper-parameters"
      actions={
        all.length > 0 && (
          <SearchInput
            label="Filter hyper-parameters"
            placeholder="Filter"
            value={filter}
            onChange={setFilter}
            className="hyperparameters__filter"
          />
        )
      }
    >
      {all.length === 0 && <p className="field__hint">They are recorded when the training begins.</p>}
      {all.length > 0 && shown.length === 0 && <p className="field__hint">No name matches.</p>}
      <dl className="hyperparameters">
        {shown.map(([key, value]) => (
          <div className="hyperparameters__item" key={key}>
            <dt className="mono">{key}</dt>
            <dd className="mono">{formatSetting(value)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
