import type { Riscv64Paging } from './arch/riscv64/address-layout.ts';
import type { JitMode, JitPace } from './arch/riscv64/jit/pace.ts';
import type { DiskKind } from './machine/block-device.ts';
import type { Environment } from './machine/environment.ts';
import type { InjectOptions } from './mm/phys/inject.ts';
import type { ReclaimPolicies, ReclaimPolicyName } from './mm/reclaim/kinds.ts';
import type { VmaIndexKind } from './mm/vma-index/kinds.ts';
import type { Journal } from './observe/recording/journal.ts';

/** What a machine is made of, and what is asked of it. */
export interface SystemOptions {
  /** All that comes from outside the machine: host files, terminal, host clock. */
  readonly environment: Environment;
  /** RAM in bytes, a multiple of 64 KiB from 4 MiB to somewhat under 4 GiB. Default 256 MiB. */
  readonly memoryBytes?: number;
  /** Seed of all randomness in the machine (address layout, AT_RANDOM, getrandom), a 32-bit number. Default 1. */
  readonly seed?: number;
  /** Where the guest's time comes from. 'virtual' (default) is the same in every run. */
  readonly clock?: 'virtual' | 'host';
  /** A host folder as the guest's root, with writes kept in memory; null (default): a small root in memory. */
  readonly root?: { readonly host: string } | null;
  /** Page-table geometry: three, four or five levels. Default 'sv39'. */
  readonly paging?: Riscv64Paging;
  /**
   * Translates guest code to WebAssembly: never, what runs often in a program that runs long, or all of it at once (which is slow,
   * for tests). It changes nothing but speed. Default 'on'.
   */
  readonly jit?: JitMode | JitPace;
  /** How an address space keeps its VMAs: as one of Linux's generations did. Default 'maple', Linux's since 6.1. */
  readonly vmaIndex?: VmaIndexKind;
  /** Which pages go when memory is short. Default 'mglru', Linux's since 6.1. */
  readonly reclaim?: ReclaimPolicyName | ReclaimPolicies;
  /** What fails although it need not, from the first `run` on, by `seed`: allocations, disks, swap. Default: nothing. */
  readonly inject?: InjectOptions;
  /** What the machine's disk takes for its requests (docs/devices.md). Default 'nvme'. */
  readonly disk?: DiskKind;
  /** Huge pages that the pools hold from boot on, of 2 MiB or 1 GiB; default none. The guest can change it (nr_hugepages). */
  readonly hugepages?: readonly { readonly sizeBytes: number; readonly count: number }[];
  /**
   * 'every-trap' recomputes every count of the memory manager from the page tables at each trap, everyTraps: N at each Nth one:
   * for tests, slow. Default 'never'.
   */
  readonly invariants?: 'never' | 'every-trap' | { readonly everyTraps: number };
  /** Takes all that the machine gets from outside, so that replay.ts can do the same again. */
  readonly journal?: Journal;
}

export interface MountOptions {
  /** Absolute path on the host: a folder or a file. */
  readonly host: string;
  /** Absolute path in the guest; missing folders above it are made. */
  readonly guest: string;
  /** 'overlay' keeps the guest's writes in memory and drops them at the end. */
  readonly mode: 'ro' | 'rw' | 'overlay';
}

export interface SpawnRequest {
  /** NAME=VALUE strings. */
  readonly env?: readonly string[];
  readonly cwd?: string;
}

/** How a process ended: one of the two is null. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: number | null;
}

/** A swap area: in memory of the host, compressed in the machine's RAM, or in a file of the host. */
export type SwapSource = { readonly sizeBytes: number } | { readonly zramBytes: number } | { readonly host: string };
