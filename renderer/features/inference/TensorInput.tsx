import { Play } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { describe, parseTensor } from '../../lib/tensorText.ts';
import { useInference } from '../../stores/inference.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice, Spinner } from '../../ui/states.tsx';

/** A tensor typed or pasted as numbers. */
export function TensorInput({ shape }: { readonly shape: readonly (number | null)[] }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const working = useInference((state) => state.prediction.loading);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      const tensor = parseTensor(text, shape);
      setProblem(undefined);
      void useInference.getState().predict({ type: 'tensor', ...tensor });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className="inference__prompt" onSubmit={submit}>
      <label className="field">
        <span className="field__label">Tensor {describe(shape)}</span>
        <textarea
          className="input input--mono inference__text"
          rows={6}
          placeholder="0.1, 0.2, 0.3 or [[0.1, 0.2], [0.3, 0.4]]"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {problem !== undefined && <Notice look="error">{problem}</Notice>}
      <Button look="primary" type="submit" disabled={working || text.trim() === ''}>
        {working ? <Spinner label="Asking" /> : <Play size={15} />} Ask
      </Button>
    </form>
  );
}
