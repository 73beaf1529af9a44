package moe.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// The compiled kernels that ship with this backend; `build-images` makes them.
final class KernelImages {
  private static final String DIRECTORY = "images/";
  private static final String MANIFEST = DIRECTORY + "manifest.txt";

  private KernelImages() {}

  /// A line of the manifest.
  ///
  /// @param sources SHA-256 of the kernel's source and all it includes
  /// @param image SHA-256 of the image
  record Entry(String sources, String image) {}

  /// The images there should be, by name; empty if there is no manifest.
  static Map<String, Entry> manifest() {
    Map<String, Entry> entries = new TreeMap<>();
    String text = new String(read(MANIFEST), StandardCharsets.UTF_8);
    text.lines()
        .map(line -> line.split(" ", -1))
        .filter(words -> words.length == 3)
        .forEach(words -> entries.put(words[0], new Entry(words[1], words[2])));
    return entries;
  }

  /// An image by name.
  ///
  /// @throws MoeException kind `DEVICE` if it is not in this build
  static byte[] load(String name) {
    byte[] image = read(DIRECTORY + name + ".fatbin");
    if (image.length == 0) {
      throw new MoeException(
          ErrorKind.DEVICE,
          "cuda: kernel image %s is missing from this build. Run backend-cuda/build-images with CUDA 13, or install a"
                  .formatted(name)
              + " complete jar.");
    }
    return image;
  }

  /// The bytes of a resource, none if there is no such resource.
  private static byte[] read(String resource) {
    try (InputStream in = KernelImages.class.getResourceAsStream(resource)) {
      return in == null ? new byte[0] : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read resource " + resource, e);
    }
  }
}
