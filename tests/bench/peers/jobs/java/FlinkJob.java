import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The job on Flink's DataStream API. Arguments: the state backend, and the time between checkpoints, if there are any. */
public class FlinkJob {
  public static class Reader extends AbstractDeserializationSchema<Signal> {
    @Override public Signal deserialize(byte[] value) throws IOException {
      return Signal.of(value);
    }
  }

  public static class Score extends KeyedProcessFunction<String, Signal, String> {
    private transient ValueState<Lead> leads;

    @Override public void open(OpenContext context) {
      leads = getRuntimeContext().getState(new ValueStateDescriptor<>("lead", Lead.class));
    }

    @Override public void processElement(Signal signal, Context context, Collector<String> out) throws Exception {
      Lead lead = leads.value();
      if (lead == null) lead = new Lead();
      String change = lead.take(signal);
      leads.update(lead);
      if (change != null) out.collect(change);
    }
  }

  public static void main(String[] arguments) throws Exception {
    boolean checkpoints = arguments.length > 1;
    Path durable = Path.of(System.getenv("DURABLE"));
    Configuration settings = new Configuration();
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("execution.buffer-timeout.interval", "10 ms");
    settings.setString("state.backend.type", arguments[0]);
    settings.setString("state.backend.rocksdb.localdir", System.getenv("LOCAL"));
    settings.setString("taskmanager.memory.managed.size", arguments[0].equals("rocksdb") ? "512m" : "16m");
    settings.setString("restart-strategy.type", "none");
    settings.setString("io.tmp.dirs", System.getenv("LOCAL"));
    if (checkpoints) {
      settings.setString("execution.checkpointing.interval", arguments[1]);
      settings.setString("execution.checkpointing.dir", durable.toUri().toString());
      settings.setString("execution.checkpointing.incremental", "true");
      settings.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
      Optional<Path> latest = latest(durable);
      if (latest.isPresent()) settings.setString("execution.state-recovery.path", latest.get().toUri().toString());
    }
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    environment.setParallelism(1);
    KafkaSource<Signal> source = KafkaSource.<Signal>builder().setBootstrapServers(System.getenv("BOOTSTRAP"))
        .setTopics(System.getenv("SOURCE")).setGroupId(System.getenv("NAME"))
        .setStartingOffsets(OffsetsInitializer.earliest()).setValueOnlyDeserializer(new Reader())
        .setProperty("max.poll.records", "5000").setProperty("fetch.max.bytes", String.valueOf(8 << 20))
        .setProperty("max.partition.fetch.bytes", String.valueOf(2 << 20)).build();
    KafkaSink<String> sink = KafkaSink.<String>builder().setBootstrapServers(System.getenv("BOOTSTRAP"))
        .setDeliveryGuarantee(checkpoints ? DeliveryGuarantee.AT_LEAST_ONCE : DeliveryGuarantee.NONE)
        .setRecordSerializer(KafkaRecordSerializationSchema.<String>builder().setTopic(System.getenv("OUTPUT"))
            .setValueSerializationSchema(new SimpleStringSchema()).build())
        .build();
    environment.fromSource(source, WatermarkStrategy.noWatermarks(), "raw").keyBy(signal -> signal.lead, Types.STRING)
        .process(new Score()).uid("score").sinkTo(sink);
    environment.execute(System.getenv("NAME"));
  }

  /** The newest checkpoint that is whole. */
  private static Optional<Path> latest(Path folder) throws IOException {
    try (var files = Files.walk(folder, 3)) {
      return files.filter(path -> path.endsWith("_metadata")).map(Path::getParent)
          .max(Comparator.comparingInt(path -> Integer.parseInt(path.getFileName().toString().substring(4))));
    }
  }
}
