import { expect, test } from 'vitest';
import { fc } from '../../test/property.ts';
import { EAGAIN } from '../abi/errno.ts';
import { WaitQueue, WakeList } from '../base/wait-queue.ts';
import { InodeLocks } from './locks.ts';

const BYTES = 12;

test('record locks behave like one owner list a byte', () => {
  const owners = [{}, {}, {}];
  const lockStep = fc.record({
    owner: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('read' as const, 'write' as const, 'unlock' as const),
    start: fc.integer({ min: 0, max: BYTES - 1 }),
    length: fc.integer({ min: 1, max: BYTES }),
  });
  fc.assert(
    fc.property(fc.array(lockStep, { maxLength: 30 }), (steps) => {
      const locks = new InodeLocks(new WaitQueue(new WakeList()));
      const model = Array.from({ length: BYTES }, () => new Map<number, string>());
      for (const { owner, kind, start, length } of steps) {
        const end = Math.min(BYTES, start + length);
        const bytes = model.slice(start, end);
        const isBlocked =
          kind !== 'unlock' &&
          bytes.some((byte) =>
            [...byte].some(([who, held]) => who !== owner && (held === 'write' || kind === 'write')),
          );
        expect(locks.setRecord(kind, start, end, owners[owner], owner)).toBe(isBlocked ? -EAGAIN : 0);
        if (!isBlocked) for (const byte of bytes) kind === 'unlock' ? byte.delete(owner) : byte.set(owner, kind);
        const held = Array.from({ length: BYTES }, (_, at) =>
          locks.records
            .filter((lock) => lock.start <= at && at < lock.end)
            .map((lock) => `${lock.pid}${lock.kind}`)
            .sort(),
        );
        expect(held).toEqual(model.map((byte) => [...byte].map(([who, what]) => `${who}${what}`).sort()));
      }
    }),
  );
});
