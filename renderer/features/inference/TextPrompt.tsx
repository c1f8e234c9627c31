import { Play } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useInference } from '../../stores/inference.ts';
import { Button } from '../../ui/Button.tsx';
import { Spinner } from '../../ui/states.tsx';

export interface TextSignature {
  readonly maxLength?: number | undefined;
  readonly placeholder?: string | undefined;
}

export function TextPrompt({ signature }: { readonly signature: TextSignature }) {
  const [text, setText] = useState('');
  const working = useInference((state) => state.prediction.loading);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void useInference.getState().predict({ type: 'text', text });
  };
  return (
    <form className="inference__prompt" onSubmit={submit}>
      <textarea
        className="input inference__text"
        aria-label="Prompt"
        rows={5}
        maxLength={signature.maxLength}
        placeholder={signature.placeholder ?? 'A beginning for the model to go on from'}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button look="primary" type="submit" disabled={working}>
        {working ? <Spinner label="Generating" /> : <Play size={15} />} Generate
      </Button>
    </form>
  );
}
