package moe.engine.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.BackendFactory;
import moe.spi.stage.RouterFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class PluginFaultTest {
  @Test
  void mayExplainANameUnlessItIsKnownToBeAnother() {
    assertThat(mayExplain(null, null)).isTrue();
    assertThat(mayExplain(BackendFactory.class, null)).isTrue();
    assertThat(mayExplain(BackendFactory.class, "fast")).isTrue();
    assertThat(mayExplain(null, "fast")).isTrue();
    assertThat(mayExplain(RouterFactory.class, "fast")).isFalse();
    assertThat(mayExplain(RouterFactory.class, null)).isFalse();
    assertThat(mayExplain(BackendFactory.class, "slow")).isFalse();
    assertThat(mayExplain(null, "slow")).isFalse();
  }

  private static boolean mayExplain(@Nullable Class<?> service, @Nullable String name) {
    return new PluginFault("x.jar", service, name, "damaged", null)
        .mayExplain(BackendFactory.class, "fast");
  }
}
