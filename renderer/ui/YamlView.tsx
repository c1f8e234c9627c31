import { Fragment, useMemo } from 'react';

const LINE = /^(\s*(?:- )*)((?:"[^"]*"|'[^']*'|[^\s#:'"-][^:#]*|-[^\s:]+):(?=\s|$))?(.*)$/;

/** YAML with just enough colour to read structure. Lines in `marked` (0-based) stand out. */
export function YamlView({ text, label }: { readonly text: string; readonly label: string }) {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text]);
  return (
    // focusable because it scrolls: a keyboard user must be able to reach the text
    <pre className="code" role="region" aria-label={label} tabIndex={0}>
      {lines.map((line, index) => (
        // a line's position is its identity here: the text is shown whole and never reordered
        <Fragment key={`${index}:${line}`}>
          <YamlLine line={line} />
          {'\n'}
        </Fragment>
      ))}
    </pre>
  );
}

function YamlLine({ line }: { readonly line: string }) {
  const match = LINE.exec(line);
  if (!match) return line;
  const [, indent = '', key = '', rest = ''] = match;
  return (
    <>
      {indent}
      {key && <span className="code__key">{key}</span>}
      <YamlValue text={rest} />
    </>
  );
}

function YamlValue({ text }: { readonly text: string }) {
  const value = text.trim();
  const className = value.startsWith('#')
    ? 'code__comment'
    : value.includes('${')
      ? 'code__interpolation'
      : /^[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?$/.test(value)
        ? 'code__number'
        : /^(true|false|null|\?\?\?|\[\]|\{\})$/i.test(value)
          ? 'code__keyword'
          : 'code__string';
  return <span className={className}>{text}</span>;
}
