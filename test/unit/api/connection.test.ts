import { describe, expect, test } from 'vitest';
import { MessageConnection } from '../../../engine/api/connection.ts';
import { decodeWire, encodeWire, type WireMessage } from '../../../engine/api/wire.ts';

describe('wire codec', () => {
  test('keeps NaN, infinities and typed arrays', () => {
    const output = { value: Number.NaN, low: Number.NEGATIVE_INFINITY, series: Float64Array.of(1, Number.NaN, -0) };
    const back = decodeWire(encodeWire({ type: 'result', id: 1, output }));
    expect(back).toEqual({ type: 'result', id: 1, output });
  });

  test('keeps a large series', () => {
    const series = Float64Array.from({ length: 50_000 }, (_, index) => Math.sin(index));
    const back = decodeWire(encodeWire({ type: 'result', id: 1, output: series }));
    expect(back).toEqual({ type: 'result', id: 1, output: series });
  });

  test.each(['nonsense', '{"type":"shout"}', '[]'])('refuses %s', (text) => {
    expect(() => decodeWire(text)).toThrow();
  });
});

function connected() {
  const sent: WireMessage[] = [];
  const connection = new MessageConnection();
  connection.attach({ send: (message) => sent.push(message) });
  return { connection, sent };
}

describe('calls over a port', () => {
  test('an answer reaches its own call, in any order', async () => {
    const { connection, sent } = connected();
    const first = connection.call('project.current', {});
    const second = connection.call('settings.get', {});
    connection.receive({ type: 'result', id: 2, output: 'second' });
    connection.receive({ type: 'result', id: 1, output: 'first' });
    expect(await first).toBe('first');
    expect(await second).toBe('second');
    expect(sent).toHaveLength(2);
  });

  test('aborting tells the engine and rejects with `cancelled`', async () => {
    const { connection, sent } = connected();
    const controller = new AbortController();
    const call = connection.call('config.compose', {}, controller.signal);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent.at(-1)).toEqual({ type: 'cancel', id: 1 });
    connection.receive({ type: 'result', id: 1, output: 'too late' }); // must not throw
  });

  test('calls made before the port is up wait for it', async () => {
    const connection = new MessageConnection();
    const call = connection.call('project.current', {});
    const sent: WireMessage[] = [];
    connection.attach({ send: (message) => sent.push(message) });
    expect(sent).toHaveLength(1);
    connection.receive({ type: 'result', id: 1, output: 'here' });
    expect(await call).toBe('here');
  });

  test('a broken port fails what was sent and keeps what was not', async () => {
    const { connection } = connected();
    const lost = connection.call('runs.list', {});
    connection.detach(true);
    await expect(lost).rejects.toMatchObject({ code: 'connection.lost' });
    expect(connection.state).toBe('reconnecting');
    const waiting = connection.call('runs.list', {});
    connection.detach(true);
    const sent: WireMessage[] = [];
    connection.attach({ send: (message) => sent.push(message) });
    connection.receive({ type: 'result', id: 2, output: 'after' });
    expect(await waiting).toBe('after');
    expect(sent).toEqual([{ type: 'call', id: 2, name: 'runs.list', input: {} }]);
  });

  test('a closed connection refuses at once', async () => {
    const { connection } = connected();
    connection.dispose();
    await expect(connection.call('runs.list', {})).rejects.toMatchObject({ code: 'connection.closed' });
  });

  test('the listeners hear events until they leave', () => {
    const { connection } = connected();
    const heard: string[] = [];
    const subscription = connection.onEvent((event) => heard.push(event.type));
    connection.receive({ type: 'event', event: { type: 'runs.changed' } });
    void subscription.dispose();
    connection.receive({ type: 'event', event: { type: 'runs.changed' } });
    expect(heard).toEqual(['runs.changed']);
  });
});
