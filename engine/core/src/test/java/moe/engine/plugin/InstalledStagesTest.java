package moe.engine.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import moe.engine.config.StageCatalog;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.StageContext;
import org.junit.jupiter.api.Test;

final class InstalledStagesTest {
  @Test
  void namesTheEnginesBackendsAndThoseOfPluginsOnce() {
    try (PluginRegistry registry =
        PluginRegistry.of(new NamedBackend("plain"), new NamedBackend("cpu"))) {
      assertThat(registry.catalog().backends()).containsExactly("cuda", "opencl", "cpu", "plain");
    }
  }

  @Test
  void knowsTheStagesOfEachSectionAndTheirSettings() {
    try (PluginRegistry registry = PluginRegistry.load((Path) null)) {
      StageCatalog catalog = registry.catalog();
      assertThat(options(catalog, "router", "topk")).isEmpty();
      assertThat(options(catalog, "router", "energy-ttt")).isNotEmpty().doesNotHaveDuplicates();
      assertThat(options(catalog, "dispatcher", "sorted")).isEmpty();
      assertThat(options(catalog, "experts", "fused-ffn")).isEmpty();
      assertThat(options(catalog, "combiner", "weighted-sum")).isEmpty();
      assertThat(catalog.stage("router", "topkk"))
          .isInstanceOfSatisfying(
              StageCatalog.Missing.class,
              missing -> {
                assertThat(missing.kind()).isEqualTo(ErrorKind.USAGE);
                assertThat(missing.reason()).contains("no router is called \"topkk\"");
              });
      assertThat(catalog.stage("dispatcher", "topk")).isInstanceOf(StageCatalog.Missing.class);
      assertThatThrownBy(() -> catalog.stage("text", "topk"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void takesFusionsForExpertsThatHaveNoExecutorAndBothWhereThereIsOne() {
    try (PluginRegistry registry = PluginRegistry.of(new Fusion("wide"))) {
      assertThat(options(registry.catalog(), "experts", "wide")).containsExactly("width");
      assertThat(registry.catalog().stage("experts", "narrow"))
          .isInstanceOf(StageCatalog.Missing.class);
    }
    try (PluginRegistry registry = PluginRegistry.of(new Fusion("wide"), new Executor())) {
      assertThat(options(registry.catalog(), "experts", "wide")).containsExactly("width", "depth");
    }
  }

  private static List<String> options(StageCatalog catalog, String section, String type) {
    assertThat(catalog.stage(section, type)).isInstanceOf(StageCatalog.Installed.class);
    return ((StageCatalog.Installed) catalog.stage(section, type))
        .options().stream().map(OptionSpec::key).toList();
  }

  private record NamedBackend(String name) implements BackendFactory {
    @Override
    public int spiVersion() {
      return SpiVersion.CURRENT;
    }

    @Override
    public Availability probe() {
      return new Availability.Unavailable("for tests only", null);
    }

    @Override
    public Backend open(DeviceInfo device) {
      throw new UnsupportedOperationException();
    }
  }

  private record Fusion(String experts) implements FusedMoeFactory {
    @Override
    public String name() {
      return "fused";
    }

    @Override
    public int spiVersion() {
      return SpiVersion.CURRENT;
    }

    @Override
    public List<OptionSpec> options() {
      return List.of(OptionSpec.whole("width", 1, 9, "The width."));
    }

    @Override
    public Support supports(LayerSpec spec, Backend backend) {
      return Support.YES;
    }

    @Override
    public FusedMoe create(StageContext context) {
      throw new UnsupportedOperationException();
    }
  }

  private record Executor() implements ExpertExecutorFactory {
    @Override
    public String name() {
      return "wide";
    }

    @Override
    public int spiVersion() {
      return SpiVersion.CURRENT;
    }

    @Override
    public List<OptionSpec> options() {
      return List.of(
          OptionSpec.whole("width", 1, 9, "The width."),
          OptionSpec.whole("depth", 1, 9, "The depth."));
    }

    @Override
    public Support supports(LayerSpec spec, Backend backend) {
      return Support.YES;
    }

    @Override
    public ExpertExecutor create(StageContext context) {
      throw new UnsupportedOperationException();
    }
  }
}
