import { EngineError } from '../../api/errors.ts';
import type { RecordSplitter } from './records.ts';

const quote = 34;
const newline = 10;
const carriageReturn = 13;

/** Whether a quote here would open a field, is inside one, or is only a character. */
type Place = 'field start' | 'plain' | 'quoted' | 'quote in quoted';

/**
 * Records of RFC 4180 CSV: a line break inside quotes does not end one. Lines end with LF, CR LF, or CR alone (as pandas
 * reads them). `delimiter` is one ASCII character.
 */
export function csvSplitter(delimiter: string): RecordSplitter {
  const separator = delimiter.charCodeAt(0);
  let place: Place = 'field start';
  // the last byte so far, where whether a line feed follows is not known yet
  let endsInReturn = false;
  return {
    endsAtReturn: true,
    get isClosed() {
      return place !== 'quoted';
    },
    next: (chunk, from) => {
      if (endsInReturn && chunk.length > 0) {
        endsInReturn = false;
        return chunk[from] === newline ? from + 1 : from;
      }
      for (let i = from; i < chunk.length; i++) {
        const byte = chunk[i] ?? 0;
        if (place === 'quoted') {
          if (byte === quote) place = 'quote in quoted';
        } else if (byte === quote) {
          if (place === 'field start' || place === 'quote in quoted') place = 'quoted';
        } else if (byte === newline) {
          place = 'field start';
          return i + 1;
        } else if (byte === carriageReturn) {
          place = 'field start';
          endsInReturn = i + 1 === chunk.length;
          if (endsInReturn) return -1;
          return chunk[i + 1] === newline ? i + 2 : i + 1;
        } else if (byte === separator) {
          place = 'field start';
        } else {
          place = 'plain';
        }
      }
      return -1;
    },
  };
}

/** The fields of one record: quoted fields may hold the delimiter, line breaks and doubled quotes. */
export function splitFields(record: string, delimiter: string): string[] {
  if (!record.includes('"')) return record.split(delimiter);
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const character = record[i];
    if (quoted) {
      if (character !== '"') field += character;
      else if (record[i + 1] === '"') field += record[++i];
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === delimiter) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  fields.push(field);
  return fields;
}

/** Throws `data.csv` unless the delimiter is a single ASCII character other than a quote or a line end. */
export function checkDelimiter(delimiter: string): string {
  if (/^[\t\x20-\x7e]$/.test(delimiter) && delimiter !== '"') return delimiter;
  throw new EngineError(
    'data.csv',
    `CsvDataset: 'delimiter' must be one character such as ',' or ';' or "\\t"; it is ${JSON.stringify(delimiter)}.`,
    { delimiter },
  );
}
