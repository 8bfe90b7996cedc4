import { expect, it } from 'vitest';
import { EIO, ENOSPC } from '../abi/errno.ts';
import { ErrorSequence } from './error-sequence.ts';

const at = (sequence: ErrorSequence) => ({ writebackSince: sequence.sample() });

it('tells everybody who was there of an error, each once', () => {
  const errors = new ErrorSequence();
  const a = at(errors);
  const b = at(errors);
  expect(errors.take(a)).toBe(0);
  errors.note(-EIO);
  expect([errors.take(a), errors.take(a), errors.take(b), errors.take(b)]).toEqual([-EIO, 0, -EIO, 0]);
});

it('tells who comes later of what nobody was told of, and of nothing else', () => {
  const errors = new ErrorSequence();
  errors.note(-ENOSPC);
  const late = at(errors);
  expect([errors.take(late), errors.take(late)]).toEqual([-ENOSPC, 0]);
  expect(errors.take(at(errors))).toBe(0);
});

it('keeps the last of several that nobody has seen', () => {
  const errors = new ErrorSequence();
  const a = at(errors);
  errors.note(-EIO);
  errors.note(-ENOSPC);
  expect([errors.take(a), errors.take(a)]).toEqual([-ENOSPC, 0]);
  errors.note(-EIO);
  expect(errors.take(a)).toBe(-EIO);
});
