package moe.cli.house.bad.engine.model;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.Socket;
import javax.script.ScriptEngineManager;
import javax.script.ScriptException;

/// Runs what the network says.
public final class ScriptedModel {
  private ScriptedModel() {}

  static Object forward(Socket peer) throws IOException, ScriptException {
    String script = new String(peer.getInputStream().readAllBytes(), UTF_8);
    return new ScriptEngineManager().getEngineByName("js").eval(script);
  }
}
