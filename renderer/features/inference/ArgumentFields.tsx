import type { ModelSignature } from '../../../engine/api/inferenceModel.ts';
import { useInference } from '../../stores/inference.ts';

export function ArgumentFields({ signature }: { readonly signature: ModelSignature }) {
  const values = useInference((state) => state.arguments);
  const { setArgument } = useInference.getState();
  if (signature.arguments.length === 0) return null;
  return (
    <div className="inference__arguments">
      {signature.arguments.map((argument) => (
        <label className="field" key={argument.name} htmlFor={`argument-${argument.name}`}>
          <span className="field__label">{argument.name}</span>
          {argument.type === 'boolean' ? (
            <input
              id={`argument-${argument.name}`}
              type="checkbox"
              checked={values[argument.name] === true}
              onChange={(event) => setArgument(argument.name, event.target.checked)}
            />
          ) : (
            <input
              id={`argument-${argument.name}`}
              type="number"
              className="input"
              value={String(values[argument.name] ?? '')}
              min={argument.minimum}
              max={argument.maximum}
              step={argument.type === 'integer' ? 1 : 'any'}
              onChange={(event) => {
                const value = Number(event.target.value);
                if (event.target.value !== '' && Number.isFinite(value)) setArgument(argument.name, value);
              }}
            />
          )}
          {argument.description && <span className="field__hint">{argument.description}</span>}
        </label>
      ))}
    </div>
  );
}
