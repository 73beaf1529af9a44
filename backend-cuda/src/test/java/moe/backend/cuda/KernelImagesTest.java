package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

/// The images that ship belong to the sources beside them.
class KernelImagesTest {
  @Test
  void noImageIsOlderThanItsSource() {
    assertThat(KernelImages.manifest()).hasSizeGreaterThan(10);
    KernelImages.manifest()
        .forEach((name, entry) -> {
          assertThat(hash(KernelSources.closure(name).getBytes(StandardCharsets.UTF_8)))
              .as("sources of %s; run backend-cuda/build-images with CUDA 13", name)
              .isEqualTo(entry.sources());
          assertThat(hash(KernelImages.load(name))).as("image %s", name).isEqualTo(entry.image());
        });
  }

  @Test
  void namesAMissingImage() {
    assertThatThrownBy(() -> KernelImages.load("nothing"))
        .isInstanceOf(MoeException.class)
        .hasMessage(
            "cuda: kernel image nothing is missing from this build. Run backend-cuda/build-images"
                + " with CUDA 13, or install a complete jar.");
  }

  private static String hash(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
