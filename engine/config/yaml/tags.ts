export const TAG_PREFIX = 'tag:yaml.org,2002:';
export const STR_TAG = `${TAG_PREFIX}str`;
export const SEQ_TAG = `${TAG_PREFIX}seq`;
export const MAP_TAG = `${TAG_PREFIX}map`;
export const NULL_TAG = `${TAG_PREFIX}null`;
export const BOOL_TAG = `${TAG_PREFIX}bool`;
export const INT_TAG = `${TAG_PREFIX}int`;
export const FLOAT_TAG = `${TAG_PREFIX}float`;
export const BINARY_TAG = `${TAG_PREFIX}binary`;
export const TIMESTAMP_TAG = `${TAG_PREFIX}timestamp`;
export const MERGE_TAG = `${TAG_PREFIX}merge`;
export const VALUE_TAG = `${TAG_PREFIX}value`;

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
/** What PyYAML takes for a float by itself. */
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** What OmegaConf's loader takes for one as well: `1e3` and exponents without a sign. */
const OMEGACONF_FLOAT =
  /^(?:[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)|\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?|[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\.[0-9_]*)$/;
const TIMESTAMP =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$/;

const NUMBER_START = /^[-+0-9.]/;

/** The tag that OmegaConf's loader gives to a plain scalar. Timestamps are strings for it. */
export function implicitTag(text: string): string {
  if (text === '') return NULL_TAG;
  if (NUMBER_START.test(text)) {
    if (FLOAT.test(text)) return FLOAT_TAG;
    if (INT.test(text)) return INT_TAG;
    return OMEGACONF_FLOAT.test(text) ? FLOAT_TAG : STR_TAG;
  }
  return wordTag(text);
}

/** The tag that PyYAML's dumper expects a plain scalar to be read as; what it is not needs quotes. */
export function dumperTag(text: string): string {
  if (text === '') return NULL_TAG;
  if (NUMBER_START.test(text)) {
    if (FLOAT.test(text)) return FLOAT_TAG;
    if (INT.test(text)) return INT_TAG;
    return TIMESTAMP.test(text) ? TIMESTAMP_TAG : STR_TAG;
  }
  return wordTag(text);
}

function wordTag(text: string): string {
  // Nothing longer is a word of YAML's, so most strings are decided here.
  if (text.length > 5) return STR_TAG;
  if (BOOL.test(text)) return BOOL_TAG;
  if (NULL.test(text)) return NULL_TAG;
  if (text === '<<') return MERGE_TAG;
  if (text === '=') return VALUE_TAG;
  return text === '!' || text === '&' || text === '*' ? `${TAG_PREFIX}yaml` : STR_TAG;
}
