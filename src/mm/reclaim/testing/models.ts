/**
 * Textbook models of replacement: how often each misses on a string of references with so many frames. They share no code with the
 * policies, and are as simple as can be, not quick.
 */
export type Model = (references: readonly number[], frames: number) => number;

export const fifoMisses: Model = (references, frames) => {
  const queue: number[] = [];
  let misses = 0;
  for (const page of references) {
    if (queue.includes(page)) continue;
    misses++;
    if (queue.length === frames) queue.shift();
    queue.push(page);
  }
  return misses;
};

export const lruMisses: Model = (references, frames) => {
  let stack: number[] = [];
  let misses = 0;
  for (const page of references) {
    if (!stack.includes(page)) misses++;
    stack = [page, ...stack.filter((each) => each !== page)].slice(0, frames);
  }
  return misses;
};

/** The circle with a hand and a use bit for each frame. */
export const clockMisses: Model = (references, frames) => {
  const circle: { page: number; used: boolean }[] = [];
  let hand = 0;
  let misses = 0;
  for (const page of references) {
    const hit = circle.find((each) => each.page === page);
    if (hit !== undefined) {
      hit.used = true;
      continue;
    }
    misses++;
    if (circle.length < frames) {
      circle.push({ page, used: true });
      continue;
    }
    while (circle[hand].used) {
      circle[hand].used = false;
      hand = (hand + 1) % frames;
    }
    circle[hand] = { page, used: true };
    hand = (hand + 1) % frames;
  }
  return misses;
};

/** ARC(c), figure 4 of the paper line by line. Lists: least recently used first. */
export const arcMisses: Model = (references, c) => {
  const T1: number[] = [];
  const T2: number[] = [];
  const B1: number[] = [];
  const B2: number[] = [];
  let p = 0;
  let misses = 0;
  const take = (list: number[], page: number): void => void list.splice(list.indexOf(page), 1);
  const replace = (isInB2: boolean): void => {
    if (T1.length > 0 && (T1.length > p || (isInB2 && T1.length === p))) B1.push(T1.shift() as number);
    else B2.push(T2.shift() as number);
  };
  for (const x of references) {
    if (T1.includes(x) || T2.includes(x)) {
      take(T1.includes(x) ? T1 : T2, x);
      T2.push(x);
      continue;
    }
    misses++;
    if (B1.includes(x)) {
      p = Math.min(c, p + Math.max(1, B2.length / B1.length));
      replace(false);
      take(B1, x);
      T2.push(x);
    } else if (B2.includes(x)) {
      p = Math.max(0, p - Math.max(1, B1.length / B2.length));
      replace(true);
      take(B2, x);
      T2.push(x);
    } else {
      if (T1.length + B1.length === c) {
        if (T1.length < c) {
          B1.shift();
          replace(false);
        } else T1.shift();
      } else if (T1.length + T2.length + B1.length + B2.length >= c) {
        if (T1.length + T2.length + B1.length + B2.length === 2 * c) B2.shift();
        replace(false);
      }
      T1.push(x);
    }
  }
  return misses;
};

/** Belady's: the page that is wanted last goes. No policy misses less often. */
export const optMisses: Model = (references, frames) => {
  const resident = new Set<number>();
  let misses = 0;
  references.forEach((page, at) => {
    if (resident.has(page)) return;
    misses++;
    if (resident.size === frames) {
      const next = (each: number): number => {
        const found = references.indexOf(each, at + 1);
        return found < 0 ? Number.POSITIVE_INFINITY : found;
      };
      resident.delete([...resident].reduce((worst, each) => (next(each) > next(worst) ? each : worst)));
    }
    resident.add(page);
  });
  return misses;
};
