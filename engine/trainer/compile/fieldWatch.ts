/**
 * Looks for what a step leaves in somebody's fields: a graph would not do it again. One level deep, and by length for
 * lists, maps and sets.
 */
export class FieldWatch {
  readonly #before: readonly { readonly owner: object; readonly label: string; readonly fields: Fields }[];

  constructor(owners: readonly { readonly owner: object; readonly label: string }[]) {
    this.#before = owners.map(({ owner, label }) => ({ owner, label, fields: fieldsOf(owner) }));
  }

  /** The first field that changed, as a person writes it; all are put back as they were. */
  restore(): string | undefined {
    let changed: string | undefined;
    for (const { owner, label, fields } of this.#before) {
      for (const [key, now] of Object.entries(owner)) {
        const before = fields.get(key);
        if (before !== undefined && Object.is(before.value, now) && before.size === sizeOf(now)) continue;
        changed ??= `${label}.${key}`;
        if (before === undefined) Reflect.deleteProperty(owner, key);
        else {
          Reflect.set(owner, key, before.value);
          if (Array.isArray(before.value) && before.size !== undefined) before.value.length = before.size;
        }
      }
    }
    return changed;
  }
}

type Fields = ReadonlyMap<string, { readonly value: unknown; readonly size: number | undefined }>;

function fieldsOf(owner: object): Fields {
  return new Map(Object.entries(owner).map(([key, value]) => [key, { value, size: sizeOf(value) }]));
}

function sizeOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : undefined;
}
