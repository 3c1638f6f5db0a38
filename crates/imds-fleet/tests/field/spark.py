"""The queries of docs/fleet.md over the union of the shards' datasets, in Spark on a cluster of two executors, beside
DuckDB's answers.

Arguments: the dataset and docs/fleet.md. Not part of the gate, since Spark is half a gigabyte; by hand:

    python3 -m venv spark && spark/bin/pip install pyspark duckdb
    spark/bin/python crates/imds-fleet/tests/field/spark.py fleet docs/fleet.md
"""
import datetime, os, pathlib, platform, re, sys, tempfile, time, zipfile

import duckdb, pyspark

dataset, docs = sys.argv[1:]
dataset = str(pathlib.Path(dataset).resolve())
os.environ.update(
    SPARK_HOME=os.path.dirname(pyspark.__file__), SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost",
    PYSPARK_PYTHON=sys.executable, TZ="UTC",
)
from pyspark.sql import SparkSession

queries = [query.strip().rstrip(";") for query in re.findall(r"```sql\n(.*?)```", open(docs).read(), re.S)]
assert len(queries) == 4, queries
duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
# Processes of their own that hold the data between them, as on a real cluster: two workers, one core and 1 GiB each.
# snappy-java takes a machine that has musl installed beside glibc for one of musl: the right library is named to it.
jar = next(pathlib.Path(os.environ["SPARK_HOME"], "jars").glob("snappy-java-*.jar"))
unpacked = tempfile.TemporaryDirectory()
library = f"org/xerial/snappy/native/Linux/{platform.machine()}/libsnappyjava.so"
path = pathlib.Path(zipfile.ZipFile(jar).extract(library, unpacked.name))
snappy = f"-Dorg.xerial.snappy.lib.path={path.parent} -Dorg.xerial.snappy.lib.name={path.name}"
spark = (
    SparkSession.builder.master("local-cluster[2,1,1024]").appName("imds-fleet")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "localhost")
    .config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.driver.extraJavaOptions", snappy).config("spark.executor.extraJavaOptions", snappy)
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def plain(rows):
    """Rows as both engines' values compare: a day is a date, whatever type it comes as."""
    day = lambda value: value.date().isoformat() if isinstance(value, datetime.datetime) else value
    return sorted(tuple(day(value) for value in row) for row in rows)


began = time.monotonic()
table = spark.read.parquet(dataset)
table.createOrReplaceTempView("fleet")
rows, files = table.count(), len(table.inputFiles())
seconds = time.monotonic() - began
executors = spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
print(f"Spark {spark.version}: {rows} rows in {files} files, {len(executors) - 1} executors; read in {seconds:.1f} s")
assert len(executors) == 3, "the driver and two executors"
for query in queries:
    began = time.monotonic()
    theirs = duck.sql(query.replace("fleet/", dataset + "/")).fetchall()
    between = time.monotonic()
    ours = spark.sql(query.replace("read_parquet('fleet/**/*.parquet')", "fleet")).collect()
    ended = time.monotonic()
    assert plain(ours) == plain(theirs), (query, plain(ours)[:5], plain(theirs)[:5])
    first = " ".join(query.split())[:60]
    print(f"the same {len(ours)} rows; Spark {ended - between:.1f} s, DuckDB {between - began:.1f} s: {first} ...")
spark.stop()
