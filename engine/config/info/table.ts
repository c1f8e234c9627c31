/** A title with a rule under it, in Hydra's manner. */
export function heading(title: string, rule = '*'): string {
  return `${title}\n${rule.repeat(title.length)}\n`;
}

/**
 * Rows under a header, columns padded to their widest cell, as Hydra prints them: a rule of dashes under the header and
 * one at the end. `end` closes the header, which Hydra writes with a blank after it in one of its tables.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[], end = '|'): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} `;
  const first = `${line(header)}${end}`;
  const rule = '-'.repeat(first.length);
  return `${[first, rule, ...rows.map((row) => `${line(row)}|`), rule].join('\n')}\n`;
}
