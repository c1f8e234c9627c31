import { useState } from 'react';
import type { ComposedConfig } from '../../../engine/api/configModel.ts';
import { useCompose } from '../../stores/compose.ts';
import { Notice } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { YamlView } from '../../ui/YamlView.tsx';
import { findNode, OriginView } from './OriginView.tsx';

type ResultTab = 'origin' | 'yaml' | 'resolved' | 'files';

/** What the composition comes to: where the chosen value comes from, the YAML, and the files that took part. */
export function ResultPanel({ config }: { readonly config: ComposedConfig }) {
  const [tab, setTab] = useState<ResultTab>('origin');
  const selected = useCompose((state) => state.selectedPath);
  const node = selected === undefined ? undefined : findNode(config.tree, selected);
  return (
    <section className="panel result" aria-label="Result">
      <Tabs
        label="Result"
        selected={tab}
        onSelect={setTab}
        tabs={[
          { key: 'origin', label: 'Origin' },
          { key: 'yaml', label: 'YAML' },
          { key: 'resolved', label: 'Resolved' },
          { key: 'files', label: `Files (${config.files.length})` },
        ]}
      />
      <div className="panel__body panel__body--flush" role="tabpanel" aria-label={tab}>
        {tab === 'origin' && <OriginView node={node} />}
        {tab === 'yaml' && <YamlView text={config.yaml} label="Composed config as YAML" />}
        {tab === 'resolved' && (
          <>
            {config.resolveError && (
              <div className="result__notice">
                <Notice look="warning">{config.resolveError}</Notice>
              </div>
            )}
            {config.resolvedYaml !== undefined && (
              <YamlView text={config.resolvedYaml} label="Resolved config as YAML" />
            )}
          </>
        )}
        {tab === 'files' && (
          <ol className="result__files mono">
            {config.files.map((file) => (
              <li key={file}>{file}</li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}
