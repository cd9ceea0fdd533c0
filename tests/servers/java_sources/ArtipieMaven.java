import com.artipie.asto.fs.FileStorage;
import com.artipie.http.auth.Authentication;
import com.artipie.maven.http.MavenSlice;
import com.artipie.security.policy.PolicyByUsername;
import com.artipie.vertx.VertxSliceServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.reactivex.core.Vertx;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Artipie's Maven repository behind Artipie's HTTP server, on loopback, for one user who may do
 * everything. Arguments: port, folder, user. The password is the environment's
 * ARTIPIE_PASSWORD.
 */
public final class ArtipieMaven {
  private ArtipieMaven() {}

  public static void main(final String[] args) throws InterruptedException {
    final String user = args[2];
    final MavenSlice repository =
        new MavenSlice(
            new FileStorage(Path.of(args[1])),
            new PolicyByUsername(user),
            new Authentication.Single(user, System.getenv("ARTIPIE_PASSWORD")),
            "releases",
            Optional.empty());
    final HttpServerOptions options =
        new HttpServerOptions().setHost("127.0.0.1").setPort(Integer.parseInt(args[0]));
    new VertxSliceServer(Vertx.vertx(), repository, options).start();
    Thread.currentThread().join();
  }
}
