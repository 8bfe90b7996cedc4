import { CAP_SYS_PTRACE } from '../abi/capability.ts';
import { PF_X, PT_GNU_STACK } from '../abi/elf.ts';
import { ENOMEM } from '../abi/errno.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_EXEC, PROT_READ } from '../abi/mman.ts';
import { MS_NOSUID } from '../abi/mount.ts';
import {
  ADDR_COMPAT_LAYOUT,
  ADDR_NO_RANDOMIZE,
  MMAP_PAGE_ZERO,
  PER_CLEAR_ON_SETID,
  PER_LINUX32,
  PER_MASK,
  READ_IMPLIES_EXEC,
} from '../abi/personality.ts';
import { PTRACE_EVENT_EXEC } from '../abi/ptrace.ts';
import { RLIMIT_STACK } from '../abi/resource.ts';
import { SI_KERNEL, SI_USER, SIG_IGN, SIGSEGV, SIGTRAP } from '../abi/signal.ts';
import { EV_PROCESS_EXEC } from '../base/event-kinds.ts';
import type { File } from '../fs/file.ts';
import { MAY_READ, permission } from '../fs/permission.ts';
import { PAGE_SIZE, vaddr } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { pickMmapLayout, randomizeBrk, randomizeStackTop } from '../mm/layout.ts';
import { inheritChoices } from '../mm/ops/fork.ts';
import { mmap } from '../mm/ops/mmap.ts';
import { setupStack } from '../mm/ops/setup-stack.ts';
import { credentialsAfterExec, type ExecCredentials, nsCapable } from './credentials.ts';
import { deThread } from './de-thread.ts';
import { type LoadedImage, loadImage } from './elf-load.ts';
import { findProgram, type Program } from './exec-program.ts';
import { writeInitialStack } from './exec-stack.ts';
import { checkStringLimits } from './exec-strings.ts';
import { releaseSpace } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { applyMmLimits } from './rlimits.ts';
import { useSpaceOf } from './scheduler.ts';
import { resetAltStack } from './signals/deliver.ts';
import { forceSignal, sendToTask } from './signals/send.ts';
import { Sighand } from './signals/sighand.ts';
import { siginfo } from './signals/siginfo.ts';
import { NO_RESULT } from './syscalls/row.ts';
import type { Task } from './task.ts';
import { joinTime } from './time-namespace.ts';

export interface ExecRequest {
  /** Opened for execution; execve takes over the reference. */
  readonly file: File;
  /** As the caller named it. */
  readonly filename: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

/**
 * execve of the calling task (bprm_execve, load_elf_binary, begin_new_exec; 6.18). NO_RESULT when the new program is in
 * place, or -ERRNO with nothing changed. A failure behind the point of no return kills the process with SIGSEGV.
 */
export function execve(k: Kernel, t: Task, request: ExecRequest): number {
  const { filename, envp } = request;
  const argv = request.argv.length === 0 ? [new Uint8Array(0)] : request.argv;
  const tooBig = checkStringLimits(k, t.process.rlimits[RLIMIT_STACK].soft, argv, envp, filename);
  if (tooBig < 0) {
    request.file.release();
    return tooBig;
  }
  const found = findProgram(k, t, request.file, argv, filename, 0);
  if (typeof found === 'number') return found;
  const { program } = found;
  const result = install(k, t, program, found.argv, envp, filename);
  program.file.release();
  program.interpreter?.file.release();
  return result;
}

/** From begin_new_exec on. */
function install(
  k: Kernel,
  t: Task,
  program: Program,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  filename: Uint8Array,
): number {
  if (t.files !== null && t.files.users > 1) {
    const copy = t.files.copy();
    if (typeof copy === 'number') return copy;
    t.files.release();
    t.files = copy;
  }
  const space = k.mm.createSpace();
  if (typeof space === 'number') return space;
  if (t.space !== null) inheritChoices(t.space, space);
  // ksm_execve.
  if (space.memoryMerge === 'any' && k.mm.ksm.enter(space) !== 0) {
    k.mm.destroySpace(space);
    return -ENOMEM;
  }
  let sighandSlot = 0;
  if (t.sighand!.users > 1) {
    sighandSlot = k.caches.sighand.alloc();
    if (sighandSlot === 0) {
      space.users = 1;
      k.mm.destroySpace(space);
      return -ENOMEM;
    }
  }

  const { inode, mount } = program.file.path;
  const mayChangeIds = !t.noNewPrivs && (mount.flags & MS_NOSUID) === 0 && !isTracedByLesser(t);
  const fresh = credentialsAfterExec(t.cred, inode, mayChangeIds ? 'obeyed' : 'ignored');

  // Point of no return.
  const oldTid = t.tid;
  deThread(k, t);
  const vforkParent = t.vforkParent;
  if (t.space !== null) releaseSpace(k, t);
  else if (vforkParent !== 0) t.vforkParent = vforkParent;
  t.space = space;
  t.clearChildTid = 0;
  t.robustListHead = 0;
  program.file.retain();
  space.exeFile = program.file;
  if (k.current === t) useSpaceOf(k, t);
  unshareSighand(k, t, sighandSlot);
  flushHandlers(t);
  resetAltStack(t.altstack);
  t.process.posixTimers.length = 0;
  t.process.hasExeced = true;
  becomeProgramsUser(t, program.file, fresh);
  applyMmLimits(t.process, space, t.cred);
  applyPersonality(k, t, space);
  t.exitSignal = 17;
  t.restart = null;
  t.comm = commOf(filename);
  t.files?.closeOnExec();

  const entry = buildImage(k, t, program, argv, envp, filename, fresh.isSecure ? 1 : 0);
  if (entry < 0) {
    forceSignal(k, t, siginfo(SIGSEGV, SI_KERNEL), 'fatal');
    return entry;
  }
  if (k.events.enabled[EV_PROCESS_EXEC] !== 0) k.events.emit(EV_PROCESS_EXEC, t.tgid);
  tellTracer(k, t, oldTid);
  return NO_RESULT;
}

/** LSM_UNSAFE_PTRACE: whoever is traced by one without CAP_SYS_PTRACE takes no rights from a program. */
function isTracedByLesser(t: Task): boolean {
  return t.trace !== null && !nsCapable(t.trace.tracer.cred, t.cred.userNs, CAP_SYS_PTRACE);
}

/** ptrace_event(PTRACE_EVENT_EXEC): an event where that is asked for, else a SIGTRAP unless the tracer seized the task. */
function tellTracer(k: Kernel, t: Task, oldTid: number): void {
  const { trace } = t;
  if (trace === null) return;
  if (trace.wants(PTRACE_EVENT_EXEC)) trace.pending.push({ code: PTRACE_EVENT_EXEC, message: oldTid, kind: 'event' });
  else if (trace.attach === 'attached') sendToTask(k, t, siginfo(SIGTRAP, SI_USER, { pid: t.tgid, uid: t.cred.uid }));
}

/** begin_new_exec: the process is dumpable unless it is somebody else's now, or may not read the program it runs (would_dump). */
function becomeProgramsUser(t: Task, file: File, fresh: ExecCredentials): void {
  const { cred } = fresh;
  const isOthers = cred.euid !== cred.uid || cred.egid !== cred.gid;
  t.process.dumpable = isOthers || permission(t.cred, file.inode, MAY_READ) < 0 ? 0 : 1;
  if (fresh.isSecure) {
    t.pdeathSignal = 0;
    t.personality &= ~PER_CLEAR_ON_SETID;
  }
  t.cred = cred;
  t.process.memoryUserNs = cred.userNs;
}

/** PF_RANDOMIZE and the personality's flags: what the layout and the rights of the new program's mappings follow. */
function applyPersonality(k: Kernel, t: Task, space: AddressSpace): void {
  // SET_PERSONALITY (6.18, arch/riscv/include/asm/elf.h): the flags stay.
  if ((t.personality & PER_MASK) !== PER_LINUX32) t.personality = (t.personality & ~PER_MASK) >>> 0;
  const isRandom = (t.personality & ADDR_NO_RANDOMIZE) === 0;
  space.randomizeVaSpace = isRandom ? k.mm.config.randomizeVaSpace : 0;
  space.wantsLegacyLayout = (t.personality & ADDR_COMPAT_LAYOUT) !== 0;
  space.readImpliesExec = (t.personality & READ_IMPLIES_EXEC) !== 0;
}

/** Fills the new space; 0 or -ERRNO. */
function buildImage(
  k: Kernel,
  t: Task,
  program: Program,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  filename: Uint8Array,
  secure: 0 | 1,
): number {
  const space = t.space!;
  const stackHeader = program.headers.find((header) => header.type === PT_GNU_STACK);
  const stackMode = stackHeader !== undefined && (stackHeader.flags & PF_X) !== 0 ? 'exec' : 'noexec';
  const top = randomizeStackTop(k.mm, space);
  pickMmapLayout(k.mm, space);
  const stringBytes =
    [...argv, ...envp].reduce((sum, text) => sum + text.length + 1, 0) + filename.length + 1 + k.arch.wordBytes;
  const stack = setupStack(k.mm, space, top, stringBytes, stackMode);
  if (stack < 0) return stack;
  const { header, headers, file, interpreter } = program;
  const image = loadImage(k, space, { file, header, headers, role: interpreter === null ? 'static' : 'program' });
  if (typeof image === 'number') return image;
  let entry = image.entry;
  let interpreterBase = 0;
  if (interpreter !== null) {
    const loaded = loadImage(k, space, { ...interpreter, role: 'interpreter' });
    if (typeof loaded === 'number') return loaded;
    entry = loaded.entry;
    interpreterBase = loaded.bias;
  }
  joinTime(k, t);
  const hasVdso = k.mapVdso(space);
  if (hasVdso < 0) return hasVdso;
  const sp = writeInitialStack(k, t, space, top, {
    argv,
    envp,
    filename,
    image,
    phnum: header.phnum,
    secure,
    interpreterBase,
  });
  if (sp < 0) return sp;
  setFields(k, t, image, program);
  // SVr4's programs read address 0: a page of zeros, if it may be mapped there.
  if ((t.personality & MMAP_PAGE_ZERO) !== 0) mapPageZero(k, space);
  k.arch.startThread(k.registersOf(t), entry, sp);
  return 0;
}

/** The code, data and brk fields of mm_struct; where the heap starts. */
function setFields(k: Kernel, t: Task, image: LoadedImage, program: Program): void {
  const space = t.space!;
  space.startCode = vaddr(image.startCode);
  space.endCode = vaddr(image.endCode);
  space.startData = vaddr(image.startData);
  space.endData = vaddr(image.endData);
  let brk = Math.ceil(image.brk / PAGE_SIZE) * PAGE_SIZE;
  const isStaticPie = program.header.type === 3 && program.interpreter === null;
  if (isStaticPie) brk = k.mm.config.layout.elfEtDynBase;
  else if (space.randomizeVaSpace === 2) brk += PAGE_SIZE;
  const start = randomizeBrk(k.mm, space, vaddr(Math.ceil(brk / PAGE_SIZE) * PAGE_SIZE));
  space.startBrk = start;
  space.brk = start;
}

function mapPageZero(k: Kernel, space: AddressSpace): void {
  const flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;
  const request = {
    address: 0,
    lengthBytes: PAGE_SIZE,
    prot: PROT_READ | PROT_EXEC,
    flags,
    file: null,
    offsetBytes: 0,
  };
  mmap(k.mm, space, request);
}

/** unshare_sighand: with a slot taken before the point of no return; not needed if only dead threads shared it. */
function unshareSighand(k: Kernel, t: Task, slot: number): void {
  if (slot === 0) return;
  const old = t.sighand!;
  if (old.users === 1) {
    k.caches.sighand.free(slot);
    return;
  }
  t.sighand = new Sighand(slot, old);
  old.users--;
}

/** flush_signal_handlers: ignored stays ignored, all else is default. */
function flushHandlers(t: Task): void {
  for (const action of t.sighand!.actions) {
    if (action.handler !== SIG_IGN) action.handler = 0;
    action.flags = 0;
    action.restorer = 0;
    action.maskLow = 0;
    action.maskHigh = 0;
  }
}

/** kbasename, cut to TASK_COMM_LEN - 1 bytes. */
export function commOf(filename: Uint8Array): string {
  const base = filename.subarray(filename.lastIndexOf(0x2f) + 1);
  return new TextDecoder().decode(base.subarray(0, 15));
}
