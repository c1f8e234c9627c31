import { describe, expect, test } from 'vitest';
import { EngineError } from '../../engine/api/errors.ts';
import { fakeEngine, transports } from './transports.ts';

describe.each(transports)('over $id', ({ connect }) => {
  test('numbers that JSON does not know and series arrive as they are', async () => {
    const value = Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, -1e300);
    const column = Float64Array.of(0, 1, 2, 3);
    const { api } = await connect(
      fakeEngine({
        'metrics.series': ({ runId, key }) => ({
          runId,
          key,
          step: column,
          time: column,
          epoch: column,
          value,
          minimum: value,
          maximum: value,
          totalPoints: 4,
        }),
      }),
    );
    const series = await api['metrics.series']({ runId: 'r', key: 'loss', maxPoints: 10 });
    expect(series.value).toEqual(value);
    expect(series.step).toBeInstanceOf(Float64Array);
  });

  test('a typed array may travel to the engine', async () => {
    const { api } = await connect(
      fakeEngine({
        'inference.predict': ({ input }) => ({
          output: { type: 'tensor', shape: [1], values: input.type === 'image' ? [...input.pixels] : [] },
          elapsedMs: 1,
        }),
      }),
    );
    const input = { type: 'image', pixels: Float64Array.of(0, 0.5) } as const;
    const prediction = await api['inference.predict']({ sessionId: 's', input, arguments: {} });
    expect(prediction.output).toEqual({ type: 'tensor', shape: [1], values: [0, 0.5] });
  });

  test('defaults of the input are filled in before the handler', async () => {
    const { api } = await connect(
      fakeEngine({ 'runs.list': (query) => ({ runs: [], total: query.limit + query.offset }) }),
    );
    expect(await api['runs.list']({})).toEqual({ runs: [], total: 200 });
  });

  test('an error keeps its code, sentence and details, and loses its stack', async () => {
    const { api } = await connect(
      fakeEngine({
        'runs.get': ({ runId }) => {
          throw new EngineError('runs.not-found', `There is no run '${runId}'.`, { id: runId, at: Number.NaN });
        },
      }),
    );
    const failure = await api['runs.get']({ runId: 'x' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineError);
    expect(failure).toMatchObject({
      code: 'runs.not-found',
      message: "There is no run 'x'.",
      details: { id: 'x', at: Number.NaN },
    });
  });

  test('a thrown defect arrives as an internal error', async () => {
    const { api } = await connect(
      fakeEngine({
        'settings.get': () => {
          throw new TypeError('boom');
        },
      }),
    );
    await expect(api['settings.get']({})).rejects.toMatchObject({ code: 'internal', message: 'boom' });
  });

  test('a wrong input is refused with the place', async () => {
    const { connection } = await connect(fakeEngine());
    await expect(connection.call('runs.list', { limit: 'many' })).rejects.toMatchObject({
      code: 'api.invalid-input',
      message: expect.stringContaining("'limit'"),
    });
  });

  test('an output that breaks the contract is no answer', async () => {
    const { connection } = await connect(fakeEngine({ 'runs.list': () => ({ runs: [], total: 0.5 }) }));
    await expect(connection.call('runs.list', {})).rejects.toMatchObject({ code: 'internal' });
  });

  test('events reach the client in order until it leaves', async () => {
    const engine = fakeEngine();
    const { connection } = await connect(engine);
    const heard: unknown[] = [];
    const three = new Promise<void>((resolve) => {
      connection.onEvent((event) => {
        heard.push(event);
        if (heard.length === 3) resolve();
      });
    });
    const sent = ['a', 'b', 'c'].map((runId) => ({ type: 'run.changed', runId }) as const);
    for (const event of sent) engine.events.fire(event);
    await three;
    expect(heard).toEqual(sent);
    connection.dispose();
    await expect.poll(() => engine.events.listenerCount).toBe(0);
  });

  test('cancelling rejects at once and aborts the handler', async () => {
    let handlerAborted = false;
    const begun = Promise.withResolvers<void>();
    const { api } = await connect(
      fakeEngine({
        'machine.doctor': (_input, signal) =>
          new Promise((_resolve, reject) => {
            begun.resolve();
            signal.addEventListener('abort', () => {
              handlerAborted = true;
              reject(new EngineError('cancelled', 'asked to'));
            });
          }),
      }),
    );
    const controller = new AbortController();
    const call = api['machine.doctor']({}, controller.signal);
    await begun.promise;
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => handlerAborted).toBe(true);
  });

  test('a client that leaves aborts what it asked for', async () => {
    const aborted = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { api, connection } = await connect(
      fakeEngine({
        'machine.doctor': (_input, signal) => {
          begun.resolve();
          signal.addEventListener('abort', () => aborted.resolve());
          return new Promise(() => undefined);
        },
      }),
    );
    const call = api['machine.doctor']({});
    await begun.promise;
    connection.dispose();
    await expect(call).rejects.toMatchObject({ code: 'connection.closed' });
    await aborted.promise;
  });

  test('calls overlap and answers find their call', async () => {
    const gates = new Map<string, () => void>();
    const { api } = await connect(
      fakeEngine({
        'config.source': ({ file }) =>
          new Promise((resolve) => gates.set(file, () => resolve({ file, text: file.toUpperCase() }))),
      }),
    );
    const first = api['config.source']({ file: 'a' });
    const second = api['config.source']({ file: 'b' });
    await expect.poll(() => gates.size).toBe(2);
    gates.get('b')?.();
    expect(await second).toEqual({ file: 'b', text: 'B' });
    gates.get('a')?.();
    expect(await first).toEqual({ file: 'a', text: 'A' });
  });
});
