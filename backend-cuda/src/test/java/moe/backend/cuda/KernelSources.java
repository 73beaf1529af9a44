package moe.backend.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The sources of the kernels, read as text.
final class KernelSources {
  static final Path DIRECTORY = Path.of("src/main/cuda");

  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"(.*)\"$");
  private static final Pattern MACRO =
      Pattern.compile("(?s)#define (MOE_[A-Z0-9_]+)\\(NAME[^)]*\\)(.*?[^\\\\])\n");
  private static final Pattern USE = Pattern.compile("(?m)^(MOE_[A-Z0-9_]+)\\((moe_[a-z0-9_]+)");
  private static final Pattern KERNEL =
      Pattern.compile(
          "extern \"C\" __global__"
              + " void\\s+(?:__\\w+\\([^()]*(?:\\([^()]*\\))?[^()]*\\)\\s+)*(\\w+)\\(([^)]*)\\)");

  private KernelSources() {}

  /// A file and all it includes, in the order of their names: what an image is made from.
  static String closure(String name) {
    Set<String> files = new TreeSet<>();
    add(name + ".cu", files);
    return files.stream().map(KernelSources::read).collect(Collectors.joining());
  }

  private static void add(String file, Set<String> files) {
    if (files.add(file)) {
      Matcher include = INCLUDE.matcher(read(file));
      while (include.find()) {
        add(include.group(1), files);
      }
    }
  }

  /// The kinds of arguments of each kernel, as `Launch.kinds` writes them.
  static Map<String, String> signatures() {
    Map<String, String> signatures = new HashMap<>();
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      files
          .filter(file -> file.toString().endsWith(".cu"))
          .forEach(file -> signatures(read(file.getFileName().toString()), signatures));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return signatures;
  }

  private static void signatures(String text, Map<String, String> signatures) {
    Map<String, String> macros = new HashMap<>();
    Matcher macro = MACRO.matcher(text);
    while (macro.find()) {
      Matcher kernel = KERNEL.matcher(macro.group(2).replace("\\\n", "\n"));
      if (kernel.find()) {
        macros.put(macro.group(1), kinds(kernel.group(2)));
      }
    }
    Matcher use = USE.matcher(text);
    while (use.find()) {
      String kinds = macros.get(use.group(1));
      if (kinds != null) {
        signatures.put(use.group(2), kinds);
      }
    }
    Matcher kernel = KERNEL.matcher(text);
    while (kernel.find()) {
      signatures.put(kernel.group(1), kinds(kernel.group(2)));
    }
  }

  private static String kinds(String parameters) {
    return Stream.of(parameters.split(",")).map(KernelSources::kind).collect(Collectors.joining());
  }

  private static String kind(String parameter) {
    if (parameter.contains("*")) {
      return "p";
    }
    if (parameter.contains("CUtensorMap")) {
      return "m";
    }
    String type = parameter.strip();
    return type.startsWith("int64_t")
        ? "l"
        : type.startsWith("int ")
            ? "i"
            : type.startsWith("float ") ? "f" : type.startsWith("double ") ? "d" : "s";
  }

  private static String read(String file) {
    try {
      return Files.readString(DIRECTORY.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
