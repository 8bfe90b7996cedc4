import { I32, I32_AND, I32_EQZ, I32_OR, I32_SHL, SELECT } from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { get, i32, op } from './code.ts';
import { FFLAG_NV } from './format.ts';
import { canonicalNan, isNan, isSignaling, WIDTH_D, WIDTH_S, type Width } from './width.ts';

// Results that are NaN: what the native operation cannot tell is whether they are invalid.
// What is always true: every helper here gives (value, fflags).

const NV_SHIFT = i32(Math.log2(FFLAG_NV));

/** a op b (add, mul, div; sqrt with a = b) came out as NaN: invalid if an operand signals, or if none is a NaN. */
function makeNan2(width: Width): Helper {
  const a = get(0);
  const b = get(1);
  const signals = op(I32_OR, isSignaling(width, a), isSignaling(width, b));
  const none = op(I32_EQZ, op(I32_OR, isNan(width, a), isNan(width, b)));
  return {
    name: `fp_nan2_${width.suffix}`,
    params: [width.type, width.type],
    results: [width.type, I32],
    body: (body) => {
      canonicalNan(width)(body);
      op(I32_SHL, op(I32_OR, signals, none), NV_SHIFT)(body);
    },
  };
}

/** a * b + c came out as NaN: infinity times zero is invalid whatever c is. */
function makeNan3(width: Width): Helper {
  const a = get(0);
  const b = get(1);
  const c = get(2);
  const signals = op(I32_OR, op(I32_OR, isSignaling(width, a), isSignaling(width, b)), isSignaling(width, c));
  const factors = op(I32_EQZ, op(I32_OR, isNan(width, a), isNan(width, b)));
  const born = op(I32_OR, isNan(width, op(width.mul, a, b)), op(I32_EQZ, isNan(width, c)));
  return {
    name: `fp_nan3_${width.suffix}`,
    params: [width.type, width.type, width.type],
    results: [width.type, I32],
    body: (body) => {
      canonicalNan(width)(body);
      op(I32_SHL, op(I32_OR, signals, op(I32_AND, factors, born)), NV_SHIFT)(body);
    },
  };
}

/** fmin or fmax where at least one operand is a NaN: the other wins. */
function makeMinMaxNan(width: Width): Helper {
  const a = get(0);
  const b = get(1);
  const bOrNan = op(SELECT, canonicalNan(width), b, isNan(width, b));
  return {
    name: `fp_minmax_nan_${width.suffix}`,
    params: [width.type, width.type],
    results: [width.type, I32],
    body: (body) => {
      op(SELECT, bOrNan, a, isNan(width, a))(body);
      op(I32_SHL, op(I32_OR, isSignaling(width, a), isSignaling(width, b)), NV_SHIFT)(body);
    },
  };
}

/** NV if an operand signals, as feq raises it. */
function makeSignalingFlags(width: Width): Helper {
  return {
    name: `fp_signaling_${width.suffix}`,
    params: [width.type, width.type],
    results: [I32],
    body: (body) => {
      op(I32_SHL, op(I32_OR, isSignaling(width, get(0)), isSignaling(width, get(1))), NV_SHIFT)(body);
    },
  };
}

interface NanHelpers {
  readonly nan2: Helper;
  readonly nan3: Helper;
  readonly minMaxNan: Helper;
  readonly signalingFlags: Helper;
}

function makeAll(width: Width): NanHelpers {
  return {
    nan2: makeNan2(width),
    nan3: makeNan3(width),
    minMaxNan: makeMinMaxNan(width),
    signalingFlags: makeSignalingFlags(width),
  };
}

export const NAN_S: NanHelpers = makeAll(WIDTH_S);
export const NAN_D: NanHelpers = makeAll(WIDTH_D);
