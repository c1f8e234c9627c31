import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './Button.tsx';

/** A command that does the same as the click, ready to copy. */
export function CommandLine({ command }: { readonly command: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <div className="command">
      <code className="command__text">{command}</code>
      <Button
        icon
        look="quiet"
        aria-label={copied ? 'Copied' : 'Copy the command'}
        onClick={() => void navigator.clipboard.writeText(command).then(() => setCopied(true))}
      >
        {copied ? <Check size={15} /> : <Copy size={15} />}
      </Button>
    </div>
  );
}
