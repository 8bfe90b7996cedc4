import type { Model } from './models.ts';

interface Entry {
  readonly page: number;
  kind: 'hot' | 'cold' | 'ghost';
  inTest: boolean;
  used: boolean;
  /** Nobody has looked at it yet: its use bit is that of the access which brought it in. */
  isNew: boolean;
}

/**
 * CLOCK-Pro (Jiang, Chen, Zhang 2005, section 4.3) with an array for the clock, whose entry 0 is where HAND_hot points, so that the list
 * head is its end. The other hands are entries.
 */
export const clockProMisses: Model = (references, m) => {
  let clock: Entry[] = [];
  let cold: Entry | null = null;
  let test: Entry | null = null;
  let mc = 0;
  let misses = 0;

  const count = (kind: Entry['kind']): number => clock.filter((each) => each.kind === kind).length;
  const after = (entry: Entry): Entry => clock[(clock.indexOf(entry) + 1) % clock.length];
  const changeTarget = (by: number): void => {
    mc = Math.min(m, Math.max(1, mc + by));
  };
  const takeOut = (entry: Entry): void => {
    if (cold === entry) cold = clock.length > 1 ? after(entry) : null;
    if (test === entry) test = clock.length > 1 ? after(entry) : null;
    clock = clock.filter((each) => each !== entry);
  };
  const putAtHead = (entry: Entry): void => {
    clock.push(entry);
    cold ??= entry;
    test ??= entry;
  };
  const endTest = (entry: Entry): void => {
    if (!entry.inTest) return;
    entry.inTest = false;
    if (entry.kind === 'ghost') takeOut(entry);
    changeTarget(-1);
  };
  /** HAND_hot goes over what stands before it, to the list head's side. */
  const pass = (): void => void clock.push(clock.shift() as Entry);
  const stopAtHot = (): void => {
    while (clock[0].kind !== 'hot') {
      const passed = clock[0];
      endTest(passed);
      if (clock[0] === passed) pass();
    }
  };
  const runHot = (): void => {
    stopAtHot();
    while (clock[0].used) {
      clock[0].used = false;
      clock[0].isNew = false;
      pass();
      stopAtHot();
    }
    Object.assign(clock[0], { kind: 'cold', inTest: false, isNew: false });
    pass();
    if (count('hot') > 0) stopAtHot();
  };
  const limitHot = (coming: number): void => {
    while (count('hot') > 0 && count('hot') + coming > m - mc) runHot();
  };
  const runTest = (): void => {
    while ((test as Entry).kind === 'hot') test = after(test as Entry);
    const entry = test as Entry;
    endTest(entry);
    if (test === entry) test = after(entry);
  };
  const runCold = (): void => {
    for (;;) {
      if (count('cold') === 0) runHot();
      while ((cold as Entry).kind !== 'cold') cold = after(cold as Entry);
      const entry = cold as Entry;
      const { used, isNew } = entry;
      entry.used = false;
      entry.isNew = false;
      if (used && isNew) cold = after(entry);
      else if (used) {
        takeOut(entry);
        putAtHead(entry);
        if (entry.inTest) {
          entry.kind = 'hot';
          changeTarget(1);
          limitHot(0);
        } else entry.inTest = true;
      } else if (entry.inTest) {
        entry.kind = 'ghost';
        while (count('ghost') > m) runTest();
        return;
      } else {
        takeOut(entry);
        return;
      }
    }
  };

  for (const page of references) {
    const hit = clock.find((each) => each.page === page && each.kind !== 'ghost');
    if (hit !== undefined) {
      hit.used = true;
      continue;
    }
    misses++;
    if (count('hot') + count('cold') === m) {
      if (mc === 0) mc = Math.max(1, Math.floor(m * 0.01));
      runCold();
    }
    const ghost = clock.find((each) => each.page === page);
    if (ghost !== undefined) {
      takeOut(ghost);
      changeTarget(1);
      limitHot(1);
    }
    putAtHead({ page, kind: ghost === undefined ? 'cold' : 'hot', inTest: true, used: true, isNew: true });
  }
  return misses;
};
