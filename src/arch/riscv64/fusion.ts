/**
 * Pairs of instructions that the interpreter executes as one op, which saves a dispatch: the most frequent neighbours in
 * glibc's static text as gcc 12 compiles it, and some of hashing and floating-point loops. Each is `operation length,
 * operation length`.
 *
 * The first never goes elsewhere and never stores, so that the second is still the one that was decoded when its turn
 * comes. Only the op byte of the first one's entry tells of the pair: both entries keep their operands, and a jump to the
 * second finds it whole.
 */
export const FUSED_PAIRS: readonly string[] = `
ld 2, ld 2; add 2, add 2; auipc 4, addi 4; add 2, jal 4; addi 4, add 2; addi 2, addi 2; auipc 4, ld 4; ld 2, addi 2;
ld 4, ld 4; addi 2, add 2; addi 2, sd 2; add 2, addi 2; ld 2, add 2; addi 2, jal 2; add 2, ld 2; addi 4, jal 4;
addi 4, addi 4; addi 4, beq 4; add 2, sd 2; addi 4, addi 2; lui 2, addi 4; ld 4, add 2; addi 2, jal 4; add 2, jal 2;
ld 4, addi 2; ld 4, ld 2; addi 2, bne 4; add 2, beq 4; addi 2, addi 4; add 2, addi 4; slli 2, add 2; lbu 4, addi 2;
ld 2, beq 4; addi 2, bne 2; lbu 4, lbu 4; slli 4, add 2; add 2, lw 2; add 2, bne 4; addi 4, bltu 4; ld 2, bne 4;
add 2, lbu 4; addi 4, bne 4; lbu 4, beq 4; slliw 4, srliw 4; srliw 4, slliw 4; xor 2, xor 2; addw 2, addw 2;
fld 2, fmadd.d 4
`
  .split(';')
  .map((pair) => pair.trim());
