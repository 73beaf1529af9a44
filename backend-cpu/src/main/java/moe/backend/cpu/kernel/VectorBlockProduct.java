package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// Tiles of 4 rows × 2 vectors in registers, then 1 row × 1 vector, then single columns.
final class VectorBlockProduct implements BlockProduct {
  private static final int LANES = Lanes.COUNT;

  @Override
  public void accumulate(Block block, int m, int n, int k) {
    int i = 0;
    for (; i <= m - 4; i += 4) {
      int j = 0;
      for (; j <= n - 2 * LANES; j += 2 * LANES) {
        tile4x2(block, i, j, k);
      }
      rest(block, i, i + 4, j, n, k);
    }
    for (; i < m; i++) {
      int j = 0;
      for (; j <= n - 4 * LANES; j += 4 * LANES) {
        tile1x4(block, i, j, k);
      }
      rest(block, i, i + 1, j, n, k);
    }
  }

  private static void rest(Block block, int fromRow, int toRow, int fromColumn, int n, int k) {
    for (int i = fromRow; i < toRow; i++) {
      int j = fromColumn;
      for (; j <= n - LANES; j += LANES) {
        tile1x1(block, i, j, k);
      }
      for (; j < n; j++) {
        single(block, i, j, k);
      }
    }
  }

  private static void tile4x2(Block block, int row, int column, int k) {
    float[] a = block.a;
    float[] b = block.b;
    float[] c = block.c;
    int aColumn = block.aColumn;
    int bRow = block.bRow;
    int a0 = block.aAt + row * block.aRow;
    int a1 = a0 + block.aRow;
    int a2 = a1 + block.aRow;
    int a3 = a2 + block.aRow;
    int bAt = block.bAt + column;
    int c0 = block.cAt + row * block.cRow + column;
    int c1 = c0 + block.cRow;
    int c2 = c1 + block.cRow;
    int c3 = c2 + block.cRow;
    FloatVector s00 = FloatVector.fromArray(F32, c, c0);
    FloatVector s01 = FloatVector.fromArray(F32, c, c0 + LANES);
    FloatVector s10 = FloatVector.fromArray(F32, c, c1);
    FloatVector s11 = FloatVector.fromArray(F32, c, c1 + LANES);
    FloatVector s20 = FloatVector.fromArray(F32, c, c2);
    FloatVector s21 = FloatVector.fromArray(F32, c, c2 + LANES);
    FloatVector s30 = FloatVector.fromArray(F32, c, c3);
    FloatVector s31 = FloatVector.fromArray(F32, c, c3 + LANES);
    for (int l = 0; l < k; l++) {
      FloatVector b0 = FloatVector.fromArray(F32, b, bAt);
      FloatVector b1 = FloatVector.fromArray(F32, b, bAt + LANES);
      FloatVector f = FloatVector.broadcast(F32, a[a0]);
      s00 = FMA ? f.fma(b0, s00) : f.mul(b0).add(s00);
      s01 = FMA ? f.fma(b1, s01) : f.mul(b1).add(s01);
      f = FloatVector.broadcast(F32, a[a1]);
      s10 = FMA ? f.fma(b0, s10) : f.mul(b0).add(s10);
      s11 = FMA ? f.fma(b1, s11) : f.mul(b1).add(s11);
      f = FloatVector.broadcast(F32, a[a2]);
      s20 = FMA ? f.fma(b0, s20) : f.mul(b0).add(s20);
      s21 = FMA ? f.fma(b1, s21) : f.mul(b1).add(s21);
      f = FloatVector.broadcast(F32, a[a3]);
      s30 = FMA ? f.fma(b0, s30) : f.mul(b0).add(s30);
      s31 = FMA ? f.fma(b1, s31) : f.mul(b1).add(s31);
      a0 += aColumn;
      a1 += aColumn;
      a2 += aColumn;
      a3 += aColumn;
      bAt += bRow;
    }
    s00.intoArray(c, c0);
    s01.intoArray(c, c0 + LANES);
    s10.intoArray(c, c1);
    s11.intoArray(c, c1 + LANES);
    s20.intoArray(c, c2);
    s21.intoArray(c, c2 + LANES);
    s30.intoArray(c, c3);
    s31.intoArray(c, c3 + LANES);
  }

  private static void tile1x4(Block block, int row, int column, int k) {
    float[] a = block.a;
    float[] b = block.b;
    float[] c = block.c;
    int aAt = block.aAt + row * block.aRow;
    int bAt = block.bAt + column;
    int cAt = block.cAt + row * block.cRow + column;
    FloatVector s0 = FloatVector.fromArray(F32, c, cAt);
    FloatVector s1 = FloatVector.fromArray(F32, c, cAt + LANES);
    FloatVector s2 = FloatVector.fromArray(F32, c, cAt + 2 * LANES);
    FloatVector s3 = FloatVector.fromArray(F32, c, cAt + 3 * LANES);
    for (int l = 0; l < k; l++) {
      FloatVector f = FloatVector.broadcast(F32, a[aAt]);
      FloatVector v = FloatVector.fromArray(F32, b, bAt);
      s0 = FMA ? f.fma(v, s0) : f.mul(v).add(s0);
      v = FloatVector.fromArray(F32, b, bAt + LANES);
      s1 = FMA ? f.fma(v, s1) : f.mul(v).add(s1);
      v = FloatVector.fromArray(F32, b, bAt + 2 * LANES);
      s2 = FMA ? f.fma(v, s2) : f.mul(v).add(s2);
      v = FloatVector.fromArray(F32, b, bAt + 3 * LANES);
      s3 = FMA ? f.fma(v, s3) : f.mul(v).add(s3);
      aAt += block.aColumn;
      bAt += block.bRow;
    }
    s0.intoArray(c, cAt);
    s1.intoArray(c, cAt + LANES);
    s2.intoArray(c, cAt + 2 * LANES);
    s3.intoArray(c, cAt + 3 * LANES);
  }

  private static void tile1x1(Block block, int row, int column, int k) {
    float[] a = block.a;
    float[] b = block.b;
    int aAt = block.aAt + row * block.aRow;
    int bAt = block.bAt + column;
    int cAt = block.cAt + row * block.cRow + column;
    FloatVector s = FloatVector.fromArray(F32, block.c, cAt);
    for (int l = 0; l < k; l++) {
      FloatVector f = FloatVector.broadcast(F32, a[aAt]);
      FloatVector v = FloatVector.fromArray(F32, b, bAt);
      s = FMA ? f.fma(v, s) : f.mul(v).add(s);
      aAt += block.aColumn;
      bAt += block.bRow;
    }
    s.intoArray(block.c, cAt);
  }

  private static void single(Block block, int row, int column, int k) {
    int aAt = block.aAt + row * block.aRow;
    int bAt = block.bAt + column;
    int cAt = block.cAt + row * block.cRow + column;
    float sum = block.c[cAt];
    for (int l = 0; l < k; l++) {
      sum = block.a[aAt] * block.b[bAt] + sum;
      aAt += block.aColumn;
      bAt += block.bRow;
    }
    block.c[cAt] = sum;
  }
}
