package moe.cli.house;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.core.domain.properties.HasParameterTypes.Predicates.rawParameterTypes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.lang.ArchRule;
import java.io.FileInputStream;
import java.io.FileReader;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.RandomAccessFile;
import java.lang.invoke.MethodHandles;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.channels.NetworkChannel;
import java.nio.file.Files;
import java.util.List;

/// What may depend on what, for the packages below one root: `moe`, or the bad classes of the
/// tests.
final class HouseRules {
  private final String spi;
  private final String engine;
  private final String cli;
  private final String root;

  private HouseRules(String root) {
    this.root = root;
    spi = root + ".spi..";
    engine = root + ".engine..";
    cli = root + ".cli..";
  }

  static List<HouseRule> below(String root) {
    var rules = new HouseRules(root);
    return List.of(
        new HouseRule("the SPI depends on JSpecify alone", rules.spiStandsAlone(), "LeakySpi"),
        new HouseRule(
            "backends and plugins see the SPI only", rules.pluginsSeeTheSpi(), "NosyBackend"),
        new HouseRule("core knows no command line", rules.coreKnowsNoCli(), "TalkativeModel"),
        new HouseRule("only PipelineFile reads TOML", rules.onlyPipelineFileReadsToml(), "Parser"),
        new HouseRule(
            "only wiring and plugin use Guice", rules.onlyWiringUsesGuice(), "TalkativeModel"),
        new HouseRule("only cli prints", rules.onlyCliPrints(), "TalkativeModel"),
        new HouseRule("only cli prints traces", rules.onlyCliPrintsTraces(), "TensorUtils"),
        new HouseRule("only cli ends the process", rules.onlyCliExits(), "TalkativeModel"),
        new HouseRule("no cycles of packages", rules.noCycles(), "TalkativeModel"),
        new HouseRule("packages are null-marked", rules.packagesAreNullMarked(), "Parser"),
        new HouseRule("names say what a class is", rules.namesSaySomething(), "TensorUtils"),
        new HouseRule("a file holds one top-level type", rules.oneTypePerFile(), "Stowaway"),
        new HouseRule("no class by a name from a file", rules.noClassForName(), "TensorUtils"),
        new HouseRule("no Java serialization", rules.noSerialization(), "TensorUtils"),
        new HouseRule("no scripts", rules.noScripts(), "ScriptedModel"),
        new HouseRule("no sockets", rules.noSockets(), "ScriptedModel"),
        new HouseRule("only files opens files", rules.onlyFilesOpensFiles(), "TensorUtils"));
  }

  private ArchRule spiStandsAlone() {
    return classes()
        .that()
        .resideInAPackage(spi)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(spi, "java..", "org.jspecify..");
  }

  private ArchRule pluginsSeeTheSpi() {
    return noClasses()
        .that(resideInAnyPackage(root + "..").and(resideOutsideOfPackages(spi, engine, cli)))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(engine, cli);
  }

  private ArchRule coreKnowsNoCli() {
    return noClasses()
        .that()
        .resideInAPackage(engine)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(cli, root + ".backend..", "picocli..");
  }

  private ArchRule onlyPipelineFileReadsToml() {
    return noClasses()
        .that()
        .doNotHaveFullyQualifiedName(root + ".engine.config.PipelineFile")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.moandjiezana..");
  }

  private ArchRule onlyWiringUsesGuice() {
    return noClasses()
        .that()
        .resideOutsideOfPackages(root + ".engine.wiring..", root + ".engine.plugin..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.google.inject..");
  }

  private ArchRule onlyCliPrints() {
    return noClasses()
        .that()
        .resideOutsideOfPackage(cli)
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err");
  }

  private ArchRule onlyCliPrintsTraces() {
    return noClasses()
        .that()
        .resideOutsideOfPackage(cli)
        .should()
        .callMethodWhere(
            target(name("printStackTrace")).and(target(rawParameterTypes(new Class<?>[0]))));
  }

  private ArchRule onlyCliExits() {
    return noClasses()
        .that()
        .resideOutsideOfPackage(cli)
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class);
  }

  private ArchRule noCycles() {
    return slices().matching(root + ".(**)").should().beFreeOfCycles();
  }

  private ArchRule packagesAreNullMarked() {
    return classes().should(new ResideInNullMarkedPackage());
  }

  private ArchRule namesSaySomething() {
    return noClasses().should().haveNameMatching(".*(Utils?|Helper|Manager|Impl)");
  }

  private ArchRule oneTypePerFile() {
    return classes().that().areTopLevelClasses().should(new HaveAFileOfTheirOwn());
  }

  private ArchRule noClassForName() {
    return noClasses()
        .that()
        .resideOutsideOfPackage(root + ".engine.plugin..") // holds the class loaders
        .should()
        .callMethod(Class.class, "forName", String.class)
        .orShould()
        .callMethod(Class.class, "forName", String.class, boolean.class, ClassLoader.class)
        .orShould()
        .callMethod(MethodHandles.Lookup.class, "findClass", String.class)
        .orShould()
        .callMethod(ClassLoader.class, "loadClass", String.class);
  }

  private ArchRule noSerialization() {
    return noClasses()
        .should()
        .dependOnClassesThat(
            assignableTo(ObjectInputStream.class).or(assignableTo(ObjectOutputStream.class)));
  }

  private ArchRule noScripts() {
    return noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("javax.script..", "javax.tools..", "groovy..", "org.mozilla..");
  }

  /// Elsewhere a pipe in the place of a file might be waited for. What the kernel tells is always
  /// there.
  private ArchRule onlyFilesOpensFiles() {
    return noClasses()
        .that()
        .resideInAnyPackage(engine, cli)
        .and()
        .resideOutsideOfPackages(root + ".engine.files..", root + ".engine.energy..")
        .and()
        .doNotHaveFullyQualifiedName(root + ".engine.metrics.MachineFacts")
        .and()
        .doNotHaveFullyQualifiedName(root + ".engine.run.PeakMemory")
        .should()
        .callMethodWhere(
            target(owner(type(Files.class)))
                .and(
                    target(
                        nameMatching(
                            "newInputStream|newBufferedReader|newByteChannel|read.*|lines"))))
        .orShould()
        .callMethodWhere(target(owner(type(FileChannel.class))).and(target(name("open"))))
        .orShould()
        .dependOnClassesThat(
            assignableTo(FileInputStream.class)
                .or(assignableTo(FileReader.class))
                .or(assignableTo(RandomAccessFile.class)));
  }

  /// Those who need one some day get a package of their own here.
  private ArchRule noSockets() {
    return noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("java.net.http..", "java.rmi..", "javax.net..", "com.sun.net..")
                .or(assignableTo(Socket.class))
                .or(assignableTo(ServerSocket.class))
                .or(assignableTo(DatagramSocket.class))
                .or(assignableTo(URLConnection.class))
                .or(assignableTo(NetworkChannel.class)));
  }
}
