# The program that shows dashboards starts when somebody looks, and its end costs nobody but who looks just then.
{
  scenarios = [ "dashboards" ];
}
