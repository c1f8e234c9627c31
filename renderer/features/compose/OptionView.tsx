import { Plus } from 'lucide-react';
import type { ConfigProblem, ConfigTreeNode, OptionFacts } from '../../../engine/api/configModel.ts';
import { useCompose } from '../../stores/compose.ts';
import { Button } from '../../ui/Button.tsx';

export interface OptionViewProps {
  readonly node: ConfigTreeNode;
  readonly options: readonly OptionFacts[];
  readonly problems: readonly ConfigProblem[];
}

/** What the class or factory says of the chosen key: type, choices, default, doc; of a section, what else it takes. */
export function OptionView({ node, options, problems }: OptionViewProps) {
  const option = options.find(({ path }) => path === node.path);
  const unset = options.filter(({ path, isSet }) => !isSet && parentOf(path) === node.path);
  return (
    <>
      {problems.map(({ message, kind }) => (
        <p className="origin__error" key={kind + message}>
          {message}
        </p>
      ))}
      {option && <Facts option={option} text={node.text} />}
      {unset.length > 0 && (
        <>
          <h3 className="origin__title">It also takes</h3>
          <ul className="option__unset">
            {unset.map((other) => (
              <UnsetOption option={other} key={other.path} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Facts({ option, text }: { readonly option: OptionFacts; readonly text: string | undefined }) {
  const set = (value: string) => void useCompose.getState().setValue(option.path, value);
  return (
    <>
      <h3 className="origin__title">
        Option of <code>{option.target}</code>
      </h3>
      {option.doc !== undefined && <p className="option__doc">{option.doc}</p>}
      <dl className="origin__facts">
        <dt>Takes</dt>
        <dd>{option.type}</dd>
        <dt>Default</dt>
        <dd className={option.default === undefined ? undefined : 'mono'}>
          {option.default ?? (option.isRequired ? 'none: it must be given' : 'not stated')}
        </dd>
      </dl>
      {option.choices.length > 0 && (
        <div className="option__choices" role="group" aria-label={`Choices of ${option.path}`}>
          {option.choices.map((choice) => (
            <Button key={choice} aria-pressed={choice === text} onClick={() => set(choice)}>
              <span className="mono">{choice}</span>
            </Button>
          ))}
        </div>
      )}
    </>
  );
}

function UnsetOption({ option }: { readonly option: OptionFacts }) {
  const name = option.path.slice(parentOf(option.path).length).replace(/^\./, '');
  return (
    <li className="option__other">
      <div className="option__other-head">
        <code>{name}</code>
        <span className="option__type">
          {option.type}
          {option.isRequired ? ', must be given' : option.default === undefined ? '' : `, else ${option.default}`}
        </span>
        <Button
          icon
          look="quiet"
          aria-label={`Set ${option.path}`}
          title={`Set ${name}`}
          onClick={() => {
            void useCompose.getState().setValue(option.path, option.default ?? option.choices[0] ?? "'???'");
            useCompose.getState().select(option.path);
          }}
        >
          <Plus size={14} />
        </Button>
      </div>
      {option.doc !== undefined && <p className="option__doc">{option.doc}</p>}
    </li>
  );
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), 0));
}
