import type { Difference, VerifyReport } from './verifyModel.ts';

type Replay = NonNullable<VerifyReport['replay']>;

/** What a replay found, in words; `verdict` stands before `text`. `shown` writes a folder as its reader knows it. */
export function describeReplay(
  replay: Replay,
  shown: (folder: string) => string,
): { readonly verdict: 'identical' | 'differs'; readonly text: string } {
  const { fromStep, toStep, compared, difference, against } = replay;
  const what = `${counted(toStep - fromStep, 'step')} (${count(fromStep)} to ${count(toStep)})`;
  if (difference !== undefined)
    return { verdict: 'differs', text: ` within ${what}: ${describeDifference(difference)}` };
  const points = compared.points === 0 ? '' : `${compared.points} logged values`;
  const contents = `${compared.tensors} tensors and ${compared.values} values of the state`;
  const texts = {
    record: `: ${what} give the ${points} of the record, to the bit`,
    'second-replay': `: ${what} done twice give the same ${contents}; the run recorded nothing to compare with`,
  };
  const record = points === '' ? '' : `, and the ${points} of the record`;
  const end = against === undefined ? 'it' : shown(against);
  const arrived = `: ${what} lead to ${end}, ${contents} to the bit${record}`;
  const { evidence } = replay;
  return {
    verdict: 'identical',
    text: evidence === 'record' || evidence === 'second-replay' ? texts[evidence] : arrived,
  };
}

/** The first difference in words. */
function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'metric':
      return `${difference.key} at step ${count(difference.step)} was ${difference.recorded} and is ${difference.replayed} now${apart(difference.recorded, difference.replayed)}; ${counted(difference.points, 'logged value')} differ`;
    case 'tensor': {
      const { file, name, index, recorded, replayed, elements, size, largest, tensors } = difference;
      return `${name}[${index}] of ${file} was ${recorded} and is ${replayed} now${apart(recorded, replayed)}; ${count(elements)} of its ${counted(size, 'element')} differ, by at most ${largest}; ${counted(tensors, 'tensor')} of the file differ`;
    }
    case 'layout':
      return `${difference.name === '' ? difference.file : `${difference.name} of ${difference.file}`}: ${difference.text}`;
    case 'state':
      return `${difference.path} of state.json was ${difference.recorded} and is ${difference.replayed} now`;
    case 'not-written':
      return `the replay did not write ${difference.path}`;
  }
}

function apart(recorded: number, replayed: number): string {
  return ` (${(replayed - recorded).toExponential(3)})`;
}

function counted(number: number, what: string): string {
  return `${count(number)} ${what}${number === 1 ? '' : 's'}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
