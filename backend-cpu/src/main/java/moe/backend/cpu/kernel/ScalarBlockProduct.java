package moe.backend.cpu.kernel;

/// Plain loops, for Java without the vector module.
final class ScalarBlockProduct implements BlockProduct {
  @Override
  public void accumulate(Block block, int m, int n, int k) {
    float[] b = block.b;
    float[] c = block.c;
    for (int i = 0; i < m; i++) {
      int cAt = block.cAt + i * block.cRow;
      for (int l = 0; l < k; l++) {
        float factor = block.a[block.aAt + i * block.aRow + l * block.aColumn];
        int bAt = block.bAt + l * block.bRow;
        for (int j = 0; j < n; j++) {
          c[cAt + j] += factor * b[bAt + j];
        }
      }
    }
  }
}
