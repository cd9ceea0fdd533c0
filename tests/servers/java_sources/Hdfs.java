import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;

/**
 * HDFS in one process: a NameNode and a DataNode that other hosts reach, which Hadoop's own
 * MiniDFSCluster does not allow.
 *
 * <p>Arguments: host, port, a folder for everything, a file that is made when it is ready.
 */
public final class Hdfs {
  public static void main(String[] arguments) throws Exception {
    String host = arguments[0];
    String folder = arguments[2];
    Configuration conf = new HdfsConfiguration();
    conf.set("fs.defaultFS", "hdfs://" + host + ":" + arguments[1]);
    conf.set("dfs.namenode.rpc-address", host + ":" + arguments[1]);
    conf.set("dfs.namenode.http-address", host + ":0");
    conf.set("dfs.namenode.name.dir", "file://" + folder + "/name");
    conf.set("dfs.datanode.data.dir", "file://" + folder + "/data");
    for (String kind : new String[] {"address", "ipc.address", "http.address"}) {
      conf.set("dfs.datanode." + kind, host + ":0");
    }
    conf.set("dfs.datanode.hostname", host);
    conf.setInt("dfs.replication", 1);
    conf.setInt("dfs.namenode.safemode.extension", 0);
    conf.setBoolean("dfs.namenode.datanode.registration.ip-hostname-check", false);
    DefaultMetricsSystem.setMiniClusterMode(true);
    NameNode.format(conf);
    NameNode names = NameNode.createNameNode(new String[0], conf);
    DataNode.createDataNode(new String[0], conf);
    DistributedFileSystem files = (DistributedFileSystem) FileSystem.get(conf);
    while (files.getDataNodeStats().length < 1
        || files.getDataNodeStats()[0].getCapacity() == 0) {
      Thread.sleep(50);
    }
    org.apache.hadoop.fs.Path open = new org.apache.hadoop.fs.Path("/tmp");
    files.mkdirs(open);
    files.setPermission(open, new FsPermission((short) 01777));
    Files.writeString(Path.of(arguments[3]), "ready");
    names.join();
  }
}
