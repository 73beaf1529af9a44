package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// No loop passes vectors to a method of ours: see `Lanes.multiplyAdd`. Which loops suffer from one
/// depends on the profile, so a run shows it only now and then.
final class VectorCallsTest {
  private static final String VECTORS = "Ljdk/incubator/vector/";

  /// Their loops are as hot as the method, and the exponential is too long to be written out.
  private static final Set<String> EXPONENTIALS =
      Set.of(
          "VectorRowKernels.exp calls exp",
          "VectorRowKernels.expBelowMax calls exp",
          "VectorRowKernels.sumExp calls exp");

  @Test
  void noLoopPassesVectorsToUs() throws Exception {
    Path classes =
        Path.of(Lanes.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .resolve("moe/backend/cpu/kernel");
    Set<String> found = new TreeSet<>();
    int vectorClasses = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(classes, "Vector*.class")) {
      for (Path file : files) {
        found.addAll(callsInLoops(file));
        vectorClasses++;
      }
    }
    assertThat(vectorClasses).isGreaterThan(10);
    assertThat(found).isEqualTo(new TreeSet<>(EXPONENTIALS));
  }

  private static Set<String> callsInLoops(Path file) throws IOException {
    ClassModel type = ClassFile.of().parse(file);
    String owner = file.getFileName().toString().replace(".class", "");
    Set<String> calls = new TreeSet<>();
    for (MethodModel method : type.methods()) {
      String from = owner + "." + method.methodName().stringValue();
      method.code().ifPresent(code -> calls.addAll(callsInLoops(from, code)));
    }
    return calls;
  }

  // What lies between a label and a jump back to it.
  private static Set<String> callsInLoops(String from, CodeModel code) {
    List<CodeElement> elements = code.elementList();
    Map<Label, Integer> seen = new HashMap<>();
    Set<String> calls = new TreeSet<>();
    for (int i = 0; i < elements.size(); i++) {
      if (elements.get(i) instanceof LabelTarget target) {
        seen.put(target.label(), i);
      } else if (elements.get(i) instanceof BranchInstruction branch) {
        int start = seen.getOrDefault(branch.target(), i);
        for (CodeElement element : elements.subList(start, i)) {
          if (element instanceof InvokeInstruction call && isOurs(call)) {
            calls.add(from + " calls " + call.name().stringValue());
          }
        }
      }
    }
    return calls;
  }

  private static boolean isOurs(InvokeInstruction call) {
    return call.owner().asInternalName().startsWith("moe/")
        && call.type().stringValue().contains(VECTORS);
  }
}
