package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;
import org.junit.jupiter.api.Test;

/// What the factories refuse, and what their stages leave behind.
public abstract class StageFactoryContract implements Place {
  private static final LayerSpec SPEC = BlockSpecs.training(9, 8, 16, 4, 2);

  /// Whether the stages take such weights.
  protected abstract boolean takes(DType weights, boolean training);

  /// A backend without room for a fused stage.
  protected abstract Backend small();

  @Test
  void createFailsExactlyWhenSupportsSaysNo() {
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, SPEC, 1)) {
      for (StageFactory<? extends Stage> factory : at.stages.all()) {
        for (DType weights : List.of(DType.F32, DType.BF16, DType.F16, DType.I32)) {
          for (boolean training : new boolean[] {false, true}) {
            LayerSpec spec = spec(weights, training);
            boolean expected = takes(weights, training);
            assertThat(factory.supports(spec, at.backend) instanceof Support.Yes)
                .as("%s %s training %s", factory.name(), weights, training)
                .isEqualTo(expected);
            StageContext context =
                new StageContext(at.backend, spec, block.parameters, Options.NONE);
            if (expected) {
              factory.create(context).close();
            } else {
              assertThatThrownBy(() -> factory.create(context))
                  .isInstanceOfSatisfying(
                      MoeException.class,
                      e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
                  .hasMessageStartingWith(factory.name() + ": weights of type " + weights);
            }
          }
        }
      }
    }
  }

  @Test
  void stagesGiveBackAllTheyTook() {
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, SPEC, 1)) {
      long before = at.backend.memory().allocatedBytes();
      for (StageFactory<? extends Stage> factory : at.stages.all()) {
        Stage stage =
            factory.create(new StageContext(at.backend, SPEC, block.parameters, Options.NONE));
        stage.close();
        stage.close();
        assertThat(at.backend.memory().allocatedBytes()).as(factory.name()).isEqualTo(before);
      }
    }
  }

  @Test
  void aStageThatFindsNoRoomGivesBackWhatItHad() {
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, SPEC, 1);
        Backend small = small()) {
      StageContext context = new StageContext(small, SPEC, block.parameters, Options.NONE);
      assertThatThrownBy(() -> at.stages.fused().create(context))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY));
      assertThat(small.memory().allocatedBytes()).isZero();
    }
  }

  @Test
  void aClosedStageSaysSo() {
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, SPEC, 1)) {
      block.fused.close();
      assertThatThrownBy(() -> block.forwardFused(block.out))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this stage is closed");
    }
  }

  @Test
  void inferenceOffersNoBackward() {
    LayerSpec spec = BlockSpecs.inference(SPEC, DType.F32);
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, spec, 1)) {
      assertThat(block.router.backward()).isEmpty();
      assertThat(block.executor.backward()).isEmpty();
      assertThat(block.fused.backward()).isEmpty();
    }
  }

  private static LayerSpec spec(DType weights, boolean training) {
    return new LayerSpec(
        SPEC.maxTokens(),
        SPEC.dModel(),
        SPEC.dHidden(),
        SPEC.experts(),
        SPEC.topK(),
        SPEC.activation(),
        SPEC.gated(),
        SPEC.bias(),
        weights,
        training);
  }
}
