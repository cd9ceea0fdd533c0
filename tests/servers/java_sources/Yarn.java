import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/**
 * YARN in one process: a ResourceManager and a NodeManager.
 *
 * <p>Arguments: a folder for the configuration of its clients, the URI of the default file system,
 * a file that is made when it is ready.
 */
public final class Yarn {
  public static void main(String[] arguments) throws Exception {
    YarnConfiguration conf = new YarnConfiguration();
    conf.set("fs.defaultFS", arguments[1]);
    conf.setInt("yarn.nodemanager.resource.memory-mb", 4096);
    conf.setInt("yarn.nodemanager.resource.cpu-vcores", 4);
    conf.setInt("yarn.scheduler.minimum-allocation-mb", 256);
    conf.setInt("yarn.scheduler.maximum-allocation-mb", 4096);
    conf.setBoolean("yarn.nodemanager.vmem-check-enabled", false);
    conf.setBoolean("yarn.nodemanager.pmem-check-enabled", false);
    conf.setBoolean("yarn.nodemanager.disk-health-checker.enable", false);
    conf.set("yarn.scheduler.capacity.root.queues", "default");
    conf.set("yarn.scheduler.capacity.root.default.capacity", "100");
    conf.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1.0");
    conf.setBoolean("yarn.minicluster.fixed.ports", false);
    MiniYARNCluster yarn = new MiniYARNCluster("gavial", 1, 1, 1);
    yarn.init(conf);
    yarn.start();
    yarn.waitForNodeManagersToConnect(60_000);
    Path folder = Files.createDirectories(Path.of(arguments[0]));
    try (OutputStream file = new FileOutputStream(folder.resolve("yarn-site.xml").toFile())) {
      new Configuration(yarn.getConfig()).writeXml(file);
    }
    Files.writeString(
        folder.resolve("core-site.xml"),
        "<configuration><property><name>fs.defaultFS</name><value>"
            + arguments[1]
            + "</value></property></configuration>");
    Files.writeString(Path.of(arguments[2]), "ready");
    Thread.currentThread().join();
  }
}
