import { describe, it } from 'vitest';
import { RECLAIM_CONTRACT } from '../contract.ts';
import { NamedPolicies, type ReclaimPolicyName } from '../kinds.ts';

/** What every reclaim policy must do, whatever it chooses. */
export function testReclaimPolicy(name: ReclaimPolicyName): void {
  describe(`reclaim policy ${name}`, () => {
    it.each(RECLAIM_CONTRACT)('$name', ({ run }) => run(new NamedPolicies(name)));
  });
}
