/** A title with a rule under it, in Hydra's manner. */
export function heading(title: string): string {
  return `${title}\n${'*'.repeat(title.length)}\n`;
}

/** Rows under a header, columns padded to their widest cell, between rules of dashes. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const first = line(header);
  const rule = '-'.repeat(first.length);
  return `${[rule, first, rule, ...rows.map(line), rule].join('\n')}\n`;
}
